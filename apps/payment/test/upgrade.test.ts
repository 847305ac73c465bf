// What an installation has before merchants have accounts is there afterwards, and goes through the account that all shared.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { migrate } from '@tillstream/database/migrate';
import { testDatabase } from '@tillstream/testkit/database';
import { expect, onTestFinished, test } from 'vitest';
import { home, type PaymentTables } from '../src/app.ts';
import { sharedAddress } from '../src/domain/provider-account.ts';
import { Callbacks } from '../src/outbound/callbacks.ts';

const merchantId = '01890000-0000-7000-8000-00000000000a';
const paymentId = '01890000-0000-7000-8000-0000000000a1';
const instrumentId = '01890000-0000-7000-8000-0000000000a2';

test('old payments, instruments and callbacks are the shared account’s', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'before-accounts-'));
  const old = join(folder, 'payment', 'migrations');
  mkdirSync(old, { recursive: true });
  const path = fileURLToPath(home.migrations);
  for (const file of readdirSync(path).filter((each) => each < '0004')) copyFileSync(join(path, file), join(old, file));
  const store = await testDatabase({ ...home, migrations: pathToFileURL(`${old}/`) });
  onTestFinished(async () => {
    await store.drop();
    rmSync(folder, { recursive: true });
  });
  await store.admin.query(
    `insert into payment.instrument (instrument_id, merchant_id, livemode, method, provider, provider_token, card_type, card_last_4, card_expiration, created_at)
     values ($1, $2, false, 'CreditCard', 'sandbox', 'ins_1', 'Visa', '4242', '12/2034', now())`,
    [instrumentId, merchantId],
  );
  await store.admin.query(
    `insert into payment.payment (payment_id, merchant_id, order_id, livemode, status, version, amount_minor, currency, method, provider,
       provider_payment_id, redirect_url, return_url, locale, description, is_outcome_unknown, review_reason, reason, provider_error_code,
       provider_error_description, card_type, card_last_4, card_expiration, created_at, expires_at, traceparent, instrument_id, is_off_session)
     values ($1, $2, 7, false, 'seen', 2, 100, 'EUR', 'CreditCard', 'sandbox', 'sbx_1', 'http://x/', 'http://y/', 'en', '', false, '', '', '',
       '', '', '', '', now(), now(), '', $3, false)`,
    [paymentId, merchantId, instrumentId],
  );
  await store.admin.query(
    `insert into payment.callback (callback_id, provider, provider_event_id, body, traceparent, reference, due_at)
     values (gen_random_uuid(), 'sandbox', 'evt_1', '', '', $1, now())`,
    [paymentId],
  );
  expect(await migrate({ adminUrl: store.adminUrl, home, password: 'only-for-tests' })).toContain(
    'payment/0006_provider_accounts.sql',
  );
  const { rows } = await store.admin.query(
    'select p.account_id as of_payment, i.account_id as of_instrument from payment.payment p join payment.instrument i using (instrument_id)',
  );
  expect(rows).toEqual([{ of_payment: merchantId, of_instrument: merchantId }]);
  const callbacks = new Callbacks(store.open<PaymentTables>());
  const asked = { eventId: 'evt_1', reference: paymentId };
  // The provider tells the same event again, at the old address: it is known.
  const owner = { merchantId, accountId: merchantId, providerPaymentId: 'sbx_1' };
  expect(await callbacks.lookUp([{ ...asked, accountId: sharedAddress }])).toMatchObject([{ isKept: true, owner }]);
  expect(await callbacks.lookUp([{ ...asked, accountId: merchantId }])).toMatchObject([{ isKept: false, owner }]);
  expect(await callbacks.due()).toMatchObject([{ provider: 'sandbox', accountId: sharedAddress }]);
});
