import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Books } from './books.ts';

const asked = {
  account: '',
  reference: 'r-1',
  amount_minor: '10000',
  currency: 'EUR',
  return_url: 'http://127.0.0.1/thanks',
  callback_url: 'http://127.0.0.1/callback',
  description: 'A0000000001',
  locale: 'en',
  method: 'card',
  save: false,
  off_session: false,
  key: 'key-1',
  fingerprint: 'print-1',
  shift_ms: 0,
} as const;

test('a restart finds what was booked, also after a line that a kill cut short', () => {
  const folder = mkdtempSync(join(tmpdir(), 'books-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'sandbox.jsonl');
  const books = new Books(file);
  const payment = books.open(asked);
  books.change(payment, { status: 'succeeded' });
  books.close();
  appendFileSync(file, '{"payment":{"id":"sbx_half');

  const again = new Books(file);
  expect(again.byKey('', 'key-1')).toMatchObject({ id: payment.id, status: 'succeeded' });
  const second = again.open({ ...asked, reference: 'r-2', key: 'key-2' });
  again.close();

  const third = new Books(file);
  expect(third.find(second.id)).toEqual(second);
  expect(third.journal().map(({ what, payment: id, amount_minor }) => [what, id, amount_minor])).toEqual([
    ['capture', payment.id, '10000'],
  ]);
  third.close();
  // One line for a capture: no kill can part the payment from its entry.
  expect(
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"entry"')),
  ).toHaveLength(1);
});

test('a card that was kept is found after a restart by its token; its number is nowhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'books-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'sandbox.jsonl');
  const books = new Books(file);
  const opened = books.open({ ...asked, amount_minor: '0', save: true });
  const { instrument } = books.change(opened, {
    status: 'succeeded',
    card_brand: 'Visa',
    card_last_4: '4242',
    card_expiration: '12/2034',
  });
  books.close();

  const again = new Books(file);
  expect(again.instrument(instrument)).toEqual({
    token: instrument,
    account: '',
    brand: 'Visa',
    last_4: '4242',
    expiration: '12/2034',
  });
  // Nothing was charged: it is no capture.
  expect(again.journal().map(({ what }) => what)).toEqual(['verification']);
  again.close();
});
