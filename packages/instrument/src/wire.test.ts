import { Payment } from '@tillstream/proto/payment/v1/payment_api';
import { describe, expect, test } from 'vitest';
import { bankAccount, card, cryptoAddress, wallet } from './instrument.ts';
import { instrumentFields, instrumentOf } from './wire.ts';

const visa = card({ brand: 'Visa', last4: '4242', expiration: '12/2034' });
const empty = Payment.decode(new Uint8Array());
const sent = (payment: Partial<Payment>) => Payment.decode(Payment.encode({ ...empty, ...payment }).finish());

describe('a message', () => {
  test.each([
    ['card', visa],
    ['bank_account', bankAccount({ bankName: 'Bank', country: '', number: 'DE89370400440532013000' })],
    ['wallet', wallet({ name: 'PayPal', account: 'jane@example.com' })],
    ['crypto_address', cryptoAddress({ asset: 'BTC', address: 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq' })],
    ['nothing', undefined],
  ])('carries %s there and back', (kind, instrument) => {
    const message = sent(instrumentFields(instrument));
    expect(instrumentOf(message)).toEqual(instrument);
    expect(message.instrument?.kind ?? 'nothing').toBe(kind);
  });

  test('says a card to a consumer that knows only cards, and no other kind as one', () => {
    const fields = { cardType: 'Visa', cardLast4: '4242', cardExpiration: '12/2034' };
    expect(instrumentFields(visa)).toMatchObject(fields);
    expect(instrumentFields(wallet({ name: 'PayPal', account: '' }))).toMatchObject({ cardType: '', cardLast4: '' });
  });

  test('of a sender that knew only cards is read as one', () => {
    expect(instrumentOf(sent({ cardType: 'Visa', cardLast4: '4242', cardExpiration: '12/2034' }))).toEqual(visa);
    expect(instrumentOf(sent({}))).toBeUndefined();
  });

  test('of a newer sender, with a kind that is not known here, names none', () => {
    const instrument = { kind: 'cheque', display: 'Cheque', details: undefined };
    expect(instrumentOf(sent({ instrument }))).toBeUndefined();
  });
});
