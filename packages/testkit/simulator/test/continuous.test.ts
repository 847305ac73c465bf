/** What is wrong for one commit only, and mended by the next, is seen. */
import { home } from '@tillstream/payment/app';
import { MemoryServer } from '@tillstream/memory-postgres/server';
import { describe, expect, it } from 'vitest';
import { watchAll } from '../invariants/continuous/all.ts';

const merchant = '01a19b98-1df2-7cc1-8748-f3e3bafaa507';
const other = '01a19b98-1df2-7188-8c8e-d260d657ec35';
const [first, second] = ['01a19b98-1df2-7000-8000-000000000001', '01a19b98-1df2-7000-8000-000000000002'];

const pay = (id: string, order: number, version = 1) => `
  insert into payment.payment (
    payment_id, merchant_id, order_id, livemode, status, version, amount_minor, currency, method, provider, provider_payment_id,
    redirect_url, return_url, locale, description, is_outcome_unknown, review_reason, reason, provider_error_code,
    provider_error_description, created_at, expires_at, traceparent)
  values ('${id}', '${merchant}', ${order}, false, 'created', ${version}, 100, 'EUR', 'CreditCard', 'sandbox', '', '', '', 'en', '',
    false, '', '', '', '', now(), now(), '')`;
const tell = (id: string, order: number, version: number, type: string) => `
  insert into payment.payment_history (payment_id, version, merchant_id, order_id, type, at, trace_id)
  values ('${id}', ${version}, '${merchant}', ${order}, '${type}', now(), '')`;

/** Runs each text as one commit; answers what was seen, each by its sentence's id. */
async function seen(...commits: readonly string[]): Promise<readonly string[]> {
  const server = new MemoryServer();
  await server.migrate(home);
  const admin = server.pool({});
  await admin.query('drop index payment.payment_live');
  await admin.query('alter table payment.payment drop constraint payment_intent_of_order');
  const { watch } = watchAll(() => 'now');
  server.state.onCommit = watch.hear;
  for (const commit of commits) await admin.query(`begin; ${commit}; commit`);
  return watch.violations.flatMap(({ invariant, rows }) => rows.map((row) => `${invariant} ${row}`));
}

const made = `${pay(first, 1_000_001)}; ${tell(first, 1_000_001, 1, 'paymentCreated')}`;

describe('judged at every commit', () => {
  it('is nothing, where all is well', async () => {
    const booked = `update payment.payment set status = 'booked', version = 2; ${tell(first, 1_000_001, 2, 'paymentBooked')}`;
    expect(await seen(made, booked)).toEqual([]);
  });

  it('is a sum that was another for a moment', async () => {
    const found = await seen(
      made,
      'update payment.payment set amount_minor = 99',
      'update payment.payment set amount_minor = 100',
    );
    expect(found).toEqual([
      `I1 amount_minor of payment ${first} was 100 and is 99, now`,
      `I1 amount_minor of payment ${first} was 99 and is 100, now`,
    ]);
  });

  it('is a second payment that was under way for a moment', async () => {
    const again = `${pay(second, 1_000_001)}; ${tell(second, 1_000_001, 1, 'paymentCreated')}`;
    const over = `update payment.payment set status = 'expired', version = 2 where payment_id = '${second}';
      ${tell(second, 1_000_001, 2, 'paymentExpired')}`;
    expect(await seen(made, again, over)).toEqual(['I5 order 1000001 has 2 payments under way, now']);
  });

  it('is a way that the table does not have, a line that is written anew, and a row that its history does not know', async () => {
    const backwards = `update payment.payment set status = 'booked', version = 2; ${tell(first, 1_000_001, 2, 'paymentBooked')}`;
    const again = `update payment.payment set status = 'seen', version = 3; ${tell(first, 1_000_001, 3, 'paymentSeen')}`;
    const found = await seen(
      made,
      backwards,
      again,
      `update payment.payment_history set type = 'paymentSeen' where version = 2`,
    );
    expect(found).toEqual([
      `I8 payment ${first} goes from booked to seen (paymentSeen), now`,
      `I8 a line of the history of payment ${first} was changed or removed, now`,
    ]);
    expect(await seen(made, `update payment.payment set version = 2`)).toEqual([
      `I8 payment ${first} is at version 2, its history at 1, now`,
    ]);
  });

  it('is a row that names what belongs to another merchant, or changes hands', async () => {
    const foreign = tell(first, 1_000_001, 2, 'paymentSeen').replace(merchant, other);
    const mine = `update payment.payment set status = 'seen', version = 2`;
    expect(await seen(made, `${mine}; ${foreign}`)).toEqual([
      `I14 payment_id ${first} of ${merchant} is in a row of payment.payment_history of ${other}, now`,
      `I14 order_id 1000001 of ${merchant} is in a row of payment.payment_history of ${other}, now`,
    ]);
    const found = await seen(made, `update payment.payment set merchant_id = '${other}'`);
    expect(found.filter((row) => row.startsWith('I14'))).toEqual([
      `I14 a row of payment.payment went from ${merchant} to ${other}, now`,
    ]);
  });
});
