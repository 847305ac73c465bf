import { openDatabase, type AnyDatabase } from '@tillstream/database/database';
import { expectTenantIsolation } from '@tillstream/testkit/tenants';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { merchants } from './behind.ts';
import { goods, keys, startGateway, type Running } from './running.ts';

let gateway: Running;
let owner: AnyDatabase;
let admin: AnyDatabase['pool'];

beforeAll(async () => {
  gateway = await startGateway();
  owner = openDatabase({ url: gateway.database.adminUrl, schema: 'gateway', applicationName: 'test' });
  admin = owner.pool;
});
afterAll(async () => {
  await owner.close();
  await gateway.stop();
});
beforeEach(() => {
  gateway.scene.beforeMaking = async () => undefined;
  gateway.scene.refuseMakingWith = undefined;
});

const make = (key: string, body: object = goods, authorization = `Bearer ${keys.first}`) =>
  gateway.call('POST', '/v1/products', body, { 'idempotency-key': key, authorization });
const countMade = () => gateway.scene.made.length;

test('the same request again gets the same bytes and makes nothing new', async () => {
  const before = countMade();
  const first = await make('same');
  const again = await make('same', { delivery: { method: 'pool' }, prices: goods.prices, name: goods.name });
  expect([first.status, again.status]).toEqual([201, 201]);
  expect(again.text).toBe(first.text);
  expect(first.headers['idempotent-replayed']).toBeUndefined();
  expect(again.headers).toMatchObject({ 'idempotent-replayed': 'true', 'content-type': first.headers['content-type'] });
  expect(countMade()).toBe(before + 1);
});

test('another body, or another path, with the same key is refused', async () => {
  await make('other');
  for (const answer of [
    await make('other', { ...goods, name: 'Twice' }),
    await gateway.call('POST', '/v1/api_keys', {}, { 'idempotency-key': 'other' }),
  ]) {
    expect([answer.status, answer.body['code']]).toEqual([422, 'idempotency_key_reused']);
  }
});

test('twenty at once make one; who comes while it is worked on hears 409', async () => {
  const before = countMade();
  const gate = Promise.withResolvers<void>();
  gateway.scene.beforeMaking = () => gate.promise;
  const all = Array.from({ length: 20 }, () => make('race'));
  const early = await Promise.race(all);
  expect([early.status, early.body['code'], early.headers['retry-after']]).toEqual([
    409,
    'idempotency_key_in_flight',
    '1',
  ]);
  gate.resolve();
  const answers = await Promise.all(all);
  // Who came last may find it done already.
  const made = answers.filter((answer) => answer.status === 201);
  expect(made.filter((answer) => answer.headers['idempotent-replayed'] === undefined)).toHaveLength(1);
  expect(new Set(made.map((answer) => answer.text)).size).toBe(1);
  expect(answers.filter((answer) => answer.status === 409)).toHaveLength(20 - made.length);
  expect(countMade()).toBe(before + 1);
  expect((await make('race')).headers['idempotent-replayed']).toBe('true');
});

test('a process that died with the work done: the next request takes over with the same request id and makes nothing new', async () => {
  const first = await make('crash');
  const before = countMade();
  const columns = 'status = null, content_type = null, body = null';
  await admin.query(
    `update gateway.answer set ${columns}, locked_until = now() + interval '1 minute' where idempotency_key = 'crash'`,
  );
  expect((await make('crash')).status).toBe(409);
  await admin.query(
    `update gateway.answer set locked_until = now() - interval '1 second' where idempotency_key = 'crash'`,
  );
  const second = await make('crash');
  expect([second.status, second.body['id']]).toEqual([201, first.body['id']]);
  expect(countMade()).toBe(before);
  const { rows } = await admin.query<{ fence: number }>(
    `select fence from gateway.answer where idempotency_key = 'crash'`,
  );
  expect(rows).toEqual([{ fence: 2 }]);
});

test('a slow one that was overtaken cannot store its answer', async () => {
  let openSlow: (() => void) | undefined;
  gateway.scene.beforeMaking = () => new Promise((resolve) => (openSlow = resolve));
  const slow = make('overtaken');
  await expect.poll(() => openSlow, { timeout: 10_000 }).toBeDefined();
  await admin.query(
    `update gateway.answer set locked_until = now() - interval '1 second' where idempotency_key = 'overtaken'`,
  );
  gateway.scene.beforeMaking = async () => undefined;
  const quick = await make('overtaken');
  openSlow?.();
  const late = await slow;
  expect(late.body['id']).toBe(quick.body['id']);
  expect((await make('overtaken')).text).toBe(quick.text);
});

test('what may pass is tried again; what is refused for good is kept', async () => {
  gateway.scene.refuseMakingWith = 'unavailable';
  const down = await make('passing');
  expect([down.status, down.headers['retry-after']]).toEqual([503, '1']);
  gateway.scene.refuseMakingWith = undefined;
  expect((await make('passing')).status).toBe(201);

  gateway.scene.refuseMakingWith = 'invalid_field';
  const refused = await make('final');
  gateway.scene.refuseMakingWith = undefined;
  const again = await make('final');
  expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([422, refused.text, 'true']);
  expect(again.headers['content-type']).toContain('application/problem+json');
});

// A fault of the database was told to merchants as a fault of ours (500).
test('while the database takes no writes the merchant is asked to come again', async () => {
  const turn = async (isReadOnly: boolean) => {
    await admin.query(`
      do $$ begin execute format('alter database %I set default_transaction_read_only = ${isReadOnly}', current_database()); end $$`);
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'tillstream_gateway'",
    );
  };
  await turn(true);
  const answer = await make('read-only');
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  await turn(false);
  expect((await make('read-only')).status).toBe(201);
});

test('what is not well formed uses up no key', async () => {
  expect((await make('fresh', { ...goods, name: 7 })).status).toBe(422);
  expect((await make('fresh')).status).toBe(201);
});

test('keys of two merchants have nothing to do with each other', async () => {
  const mine = await make('shared');
  const theirs = await make('shared', { ...goods, name: 'Theirs' }, `Bearer ${keys.second}`);
  expect(theirs.status).toBe(201);
  expect(theirs.body['id']).not.toBe(mine.body['id']);
  expect((await make('shared', { ...goods, name: 'Theirs' }, `Bearer ${keys.second}`)).text).toBe(theirs.text);
});

test.each(['', 'k'.repeat(256), 'ключ'])('%j is no key', async (key) => {
  const answer = await gateway.call('POST', '/v1/products', goods, {
    'idempotency-key': Buffer.from(key).toString('latin1'),
  });
  expect([answer.status, answer.body['code']]).toEqual([422, 'idempotency_key_invalid']);
});

test('stored answers are sealed, bound to their row, and out of reach of other merchants', async () => {
  const made = await gateway.call('POST', '/v1/api_keys', { name: 'n' }, { 'idempotency-key': 'secret' });
  expect(made.body['secret']).toBe('till_test_shown_once');
  const { rows } = await admin.query<{ body: Buffer | null }>('select body from gateway.answer');
  expect(rows.some((row) => row.body?.includes('shown_once'))).toBe(false);
  expect((await gateway.call('POST', '/v1/api_keys', { name: 'n' }, { 'idempotency-key': 'secret' })).text).toBe(
    made.text,
  );
  const database = gateway.database.open<{ answer: { merchant_id: string } }>();
  await expectTenantIsolation(database);
  const seen = await database.transaction([merchants.second], (tx) => tx.selectFrom('answer').selectAll().execute());
  expect(seen.every((row) => row.merchant_id === merchants.second)).toBe(true);
  // Somebody with the database moves an answer to another key: it does not open.
  await admin.query(`update gateway.answer set idempotency_key = 'moved' where idempotency_key = 'secret'`);
  expect((await gateway.call('POST', '/v1/api_keys', { name: 'n' }, { 'idempotency-key': 'moved' })).status).toBe(500);
});
