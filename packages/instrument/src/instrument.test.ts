import { assert, property, record, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bankAccount, card, cryptoAddress, displayOf, readInstrument, wallet, type Instrument } from './instrument.ts';

const iban = 'DE89 3704 0044 0532 0130 00';
const bitcoin = 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq';

describe('what a person reads', () => {
  test.each([
    [card({ brand: 'Visa', last4: '4242', expiration: '12/2034' }), 'Visa •••• 4242'],
    [card({ brand: '', last4: '4242', expiration: '' }), '•••• 4242'],
    [bankAccount({ bankName: '', country: '', number: iban }), 'DE •••• 3000'],
    [bankAccount({ bankName: 'Commerzbank', country: '', number: iban }), 'Commerzbank •••• 3000'],
    [bankAccount({ bankName: '', country: 'US', number: '000123456789' }), 'US •••• 6789'],
    [wallet({ name: 'PayPal', account: 'jane.doe@example.com' }), 'PayPal j•••@example.com'],
    [wallet({ name: 'Skrill', account: '+4915112345678' }), 'Skrill •••5678'],
    [wallet({ name: 'Skrill', account: '' }), 'Skrill'],
    [cryptoAddress({ asset: 'BTC', address: bitcoin }), 'BTC bc1q…5mdq'],
  ])('%j is %s', (instrument, display) => {
    expect(instrument && displayOf(instrument)).toBe(display);
  });
});

describe('an instrument', () => {
  test.each([
    card({ brand: 'Visa', last4: '', expiration: '12/2034' }),
    card({ brand: 'Visa', last4: '42', expiration: '12/2034' }),
    bankAccount({ bankName: 'Bank', country: 'DE', number: '' }),
    wallet({ name: '', account: 'jane@example.com' }),
    cryptoAddress({ asset: 'BTC', address: 'bc1q' }),
    readInstrument(null),
    readInstrument({ kind: 'cheque', details: { last4: '1234' } }),
  ])('without what it is recognised by is none (%#)', (instrument) => expect(instrument).toBeUndefined());

  test('of a provider that says too much keeps what may be shown', () => {
    expect(card({ brand: 'Visa', last4: '4242424242424242', expiration: 'soon' })).toEqual({
      kind: 'card',
      details: { brand: 'Visa', last4: '4242', expiration: '' },
    });
    expect(bankAccount({ bankName: '0532013000', country: 'Germany', number: '0532013000' })).toEqual({
      kind: 'bank_account',
      details: { bankName: '', country: '', last4: '3000' },
    });
  });

  const text = string({ maxLength: 60 });
  const given = record({ brand: text, last4: text, expiration: text, name: text, account: text, number: text });
  const made = (all: Record<string, string>): readonly (Instrument | undefined)[] => {
    const { brand = '', last4 = '', expiration = '', name = '', account = '', number = '' } = all;
    return [
      card({ brand, last4, expiration }),
      bankAccount({ bankName: name, country: brand, number }),
      wallet({ name, account }),
      cryptoAddress({ asset: brand, address: account }),
    ];
  };

  test('that was stored is read as it is: masking what is masked changes nothing', () => {
    assert(
      property(given, (all) => {
        for (const instrument of made(all)) {
          if (instrument === undefined) continue;
          expect(readInstrument(JSON.parse(JSON.stringify(instrument)))).toEqual(instrument);
        }
      }),
    );
  });

  test('never holds five digits of a number in a row', () => {
    const digits = string({ unit: 'grapheme-ascii', minLength: 8, maxLength: 30 }).map((each) =>
      each.replace(/[^0-9]/g, '7'),
    );
    assert(
      property(digits, digits, (number, other) => {
        const all = made({ brand: other, last4: number, expiration: other, name: other, account: number, number });
        expect(JSON.stringify(all)).not.toMatch(/[0-9]{5}/);
        expect(
          JSON.stringify(made({ brand: 'B', name: 'N', account: `${number}@x.org`, number, last4: number })),
        ).not.toMatch(/[0-9]{5}/);
      }),
    );
  });
});
