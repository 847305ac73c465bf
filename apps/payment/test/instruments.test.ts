/** Cards that were stored in three columns are instruments after the migration, and no row takes a full number. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { migrate } from '@tillstream/database/migrate';
import { readInstrument } from '@tillstream/instrument/instrument';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { home } from '../src/app.ts';

const merchantId = '01a1fe29-13aa-7478-9323-857ea66c72a2';
const paymentOf = (n: number) => `01a1fe29-13aa-7478-9323-00000000000${n}`;
const before = ['0001_payment.sql', '0002_renewals.sql', '0003_paid_once.sql'];

const root = mkdtempSync(join(tmpdir(), 'instruments-'));
const folder = join(root, 'payment', 'migrations');
const apply = (file: string) => copyFileSync(new URL(file, home.migrations), join(folder, file));
let database: TestDatabase;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  before.forEach(apply);
  const old = { ...home, migrations: pathToFileURL(`${folder}/`) };
  database = await testDatabase(old);
  await database.admin.query('set search_path = payment');
  for (const [n, type, last4, expiration] of [
    [1, 'Visa', '4242', '12/2034'],
    [2, '', '', ''],
  ] as const) {
    await database.admin.query(
      `insert into payment (
        payment_id, merchant_id, order_id, livemode, status, version, amount_minor, currency, method, provider, provider_payment_id,
        redirect_url, return_url, locale, description, is_outcome_unknown, review_reason, reason, provider_error_code,
        provider_error_description, card_type, card_last_4, card_expiration, created_at, expires_at, traceparent)
      values ($1, $2, $3, false, 'booked', 3, 100, 'EUR', 'CreditCard', 'sandbox', '', '', '', 'en', '', false, '', '', '', '', $4, $5,
        $6, now(), now(), '')`,
      [paymentOf(n), merchantId, n, type, last4, expiration],
    );
    await database.admin.query(
      `insert into instrument (instrument_id, merchant_id, livemode, method, provider, provider_token, card_type, card_last_4, card_expiration, created_at)
      values ($1, $2, false, 'CreditCard', 'sandbox', 'token', $3, $4, $5, now())`,
      [paymentOf(n), merchantId, type, last4, expiration],
    );
  }
  apply('0005_instruments.sql');
  expect(await migrate({ adminUrl: database.adminUrl, home: old, password: 'only-for-tests' })).toHaveLength(1);
});
afterAll(async () => {
  await database.drop();
  rmSync(root, { recursive: true });
});

test.each(['payment', 'instrument'])('of a %s', async (table) => {
  const { rows } = await database.admin.query<{ instrument: unknown }>(
    `select instrument from ${table} order by ${table}_id`,
  );
  const visa = { kind: 'card', details: { brand: 'Visa', last4: '4242', expiration: '12/2034' } };
  expect(rows.map((row) => readInstrument(row.instrument))).toEqual([visa, undefined]);
});

test.each([
  { kind: 'cheque', details: {} },
  { kind: 'card', details: { brand: 'Visa', last4: '24242', expiration: '12/2034' } },
  { kind: 'card', details: { brand: 'Visa', last4: '4242', expiration: 'December' } },
  { kind: 'wallet', details: { name: 'Skrill', account: '+4915112345678' } },
])('the schema refuses %j', async (instrument) => {
  for (const table of ['payment', 'instrument'])
    await expect(
      database.admin.query(`update ${table} set instrument = $1`, [JSON.stringify(instrument)]),
    ).rejects.toMatchObject({ constraint: `${table}_instrument` });
});
