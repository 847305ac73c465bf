/** The comparison after the fire, on the doctor's small installation: it is silent there, and names each thing that is made wrong. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicId } from '@tillstream/database/public-id';
import type { ServiceHome } from '@tillstream/database/migrate';
import { homes } from '@tillstream/standalone/product';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkCustomers, checkLogs, checkMails, checkMoney, checkParked } from '../src/checker.ts';
import type { Customer } from '../src/customers.ts';
import { checkProgram, type Memory } from '../src/merchant-program.ts';
import { checkReceivers } from '../src/receipts.ts';
import type { Received } from '../src/receivers.ts';
import { codeMark } from '../src/shop.ts';

const well = readFileSync(new URL('../../../../apps/doctor/test/well.sql', import.meta.url), 'utf8');
const url = 'https://example.com';
const poisoned = [{ topic: 'orders', key: 'poison-0', isSent: true }];
let database: TestDatabase;
let client: Client;
let world: { readonly data: string };

beforeEach(async () => {
  const [first, ...more] = homes as readonly [ServiceHome, ...ServiceHome[]];
  database = await testDatabase(first, ...more);
  client = new Client({ connectionString: database.adminUrl, options: '-c tillstream.every_merchant=on' });
  await client.connect();
  await client.query(well);
  await client.query(`
    insert into fulfillment.parked_message (consumer, topic, key, partition, "offset", value, headers, error)
    values ('fulfillment', 'orders', 'poison-0', 0, 0, '', '{}', 'Error')`);
  world = { data: mkdtempSync(join(tmpdir(), 'tillstream-checker-')) };
  mkdirSync(join(world.data, 'logs'));
  writeFileSync(join(world.data, 'logs', 'order.log'), '{"msg":"performed"}\n');
  const { rows } = await client.query<{ id: string; amount: string; status: string }>(
    'select payment_id::text as id, amount_minor::text as amount, status from payment.payment',
  );
  const entries = rows.filter(({ status }) => status === 'booked').map(({ id, amount }) => entryOf(id, amount));
  writeFileSync(join(world.data, 'sandbox.jsonl'), entries.join(''));
  const mails = await client.query<{ id: string }>(`select kind || '.' || about as id from notification.mail`);
  writeFileSync(
    join(world.data, 'mail.jsonl'),
    mails.rows.map(({ id }) => `${JSON.stringify({ message_id: `<${id}@shop>` })}\n`).join(''),
  );
});
afterEach(async () => {
  rmSync(world.data, { recursive: true, force: true });
  await client.end();
  await database.drop();
});

const entryOf = (reference: string, amount: string) =>
  `${JSON.stringify({ payment: {}, entry: { what: 'capture', payment: 'x', reference, amount_minor: amount, currency: 'EUR' } })}\n`;

const customer: Customer = {
  number: 1,
  email: 'a@example.com',
  habit: 'pays',
  units: 2,
  insists: true,
  orderId: 1,
  path: '',
  hasPaid: true,
  isThrough: true,
};

/** What a faithful receiver would have got, in its order. */
async function received(): Promise<Received[]> {
  const { rows } = await client.query<{ id: string; order_id: string; type: string }>(
    'select id::text, order_id::text, type from webhook.event order by order_id, position',
  );
  return rows.map(({ id, order_id, type }) => ({
    at: 0,
    webhookId: publicId('evt', id),
    orderId: Number(order_id),
    event: type,
    codes: [],
    isSigned: true,
    answered: 200,
  }));
}

async function all(
  change: { customers?: readonly Customer[]; received?: readonly Received[] } = {},
): Promise<string[]> {
  const said: string[] = [];
  const say = (what: string) => void said.push(what);
  const customers = change.customers ?? [customer];
  await checkCustomers(client, customers, say);
  await checkMoney(client, world, say);
  await checkMails(client, world, say);
  checkLogs({ world, customers, shops: [{ merchant: { key: 'till_test_key' } }] }, say);
  await checkParked(client, poisoned, say);
  const stop = async () => undefined;
  const receiver = { url, received: change.received ?? (await received()), secret: '', failing: 0, stop };
  await checkReceivers(client, { receivers: [receiver] }, say);
  return said;
}

test('nothing is said where everything fits', async () => {
  expect(await all()).toEqual([]);
});

test('an order that was acknowledged and is not there, one that was paid and is not, and a customer with two', async () => {
  expect(await all({ customers: [{ ...customer, orderId: 99 }] })).toEqual([
    'order 99 was acknowledged to customer 1 and is lost',
  ]);
  const unpaid = { ...customer, email: 'c@example.com', orderId: 4 };
  expect(await all({ customers: [unpaid] })).toEqual(['customer 1 has paid order 4, which is not paid']);
  await client.query(`update "order".purchase_order set customer_email = 'a@example.com' where order_id = 2`);
  expect(await all()).toEqual(['a@example.com wanted one order and has 1, 2']);
});

test('money that the provider took and we do not know of, took twice, or never took', async () => {
  const file = join(world.data, 'sandbox.jsonl');
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  writeFileSync(file, `${[...lines, lines[0]].join('\n')}\n`);
  expect((await all())[0]).toMatch(/was captured twice/);
  writeFileSync(file, `${lines.slice(1).join('\n')}\n`);
  expect((await all())[0]).toMatch(/is booked, and the provider knows of no money/);
  writeFileSync(file, `${lines.join('\n')}\n${entryOf('00000000-0000-7000-8000-0000000000ff', '1')}`);
  expect((await all())[0]).toMatch(/has captured .*, which nobody here knows/);
  await client.query(`update payment.payment set amount_minor = 7 where order_id = 1`);
  expect((await all()).join()).toMatch(/is over 7 here and 200 there/);
});

test('what a merchant’s program was told and is not so, and what was done twice', async () => {
  const { rows } = await client.query<{ product_id: string; codes: string }>(
    'select product_id, count(*)::text as codes from fulfillment.pool_code group by product_id',
  );
  const [pool] = rows;
  const codes = ['A', 'B'];
  const said = async (memory: Partial<Memory>, codesBefore = Number(pool?.codes) - codes.length) => {
    const found: string[] = [];
    const whole = { uploads: [], products: [], resends: [], contradictions: [], ...memory };
    await checkProgram(client, { memory: whole, codesBefore }, (what) => void found.push(what));
    return found;
  };
  const upload = { productId: pool?.product_id ?? '', codes, added: 2 };
  expect(await said({ uploads: [upload] })).toEqual([]);
  expect(await said({ uploads: [{ ...upload, added: 0 }] })).toEqual([
    expect.stringMatching(/an upload of 2 new codes to .* was told that 0 were added/),
  ]);
  expect(await said({ uploads: [upload] }, 100)).toEqual([expect.stringMatching(/was given 102 codes and has/)]);
  expect(await said({ products: [{ name: 'Made 1', id: '7' }] })).toEqual([
    'product Made 1 was acknowledged as 7 and is not there',
  ]);
  const make = (id: number) =>
    client.query(`
      insert into merchant.account (account_id, name) values (gen_random_uuid(), 'of ${id}');
      insert into merchant.merchant (merchant_id, account_id, livemode, shop_name) select account_id, account_id, false, name from merchant.account where name = 'of ${id}';
      insert into merchant.product (product_id, merchant_id, livemode, name, family_name, description, image_url, vendor_code, sku, business_segment, prices, min_quantity, published, delivery, metadata)
      select ${id}, account_id, false, 'Made 1', '', '', '', '', '', 'b2c', '[{}]', 1, true, '{}', '{}' from merchant.account where name = 'of ${id}'`);
  await make(7);
  expect(await said({ products: [{ name: 'Made 1', id: '7' }] })).toEqual([]);
  await make(8);
  expect(await said({ products: [{ name: 'Made 1', id: '7' }] })).toEqual(['product Made 1 was made 2 times: 7, 8']);
  await client.query(`
    insert into "order".order_history (order_id, merchant_id, version, type, data, at, trace_id)
    select 1, merchant_id, 90 + n, 'orderLicencesAsked', '{}', now(), '' from "order".purchase_order, generate_series(1, 2) n where order_id = 1`);
  expect(await said({ resends: [{ orderId: 1, isAnswered: true }] })).toEqual([
    'the licences of 1 were asked for 1 times and sent 2 times',
  ]);
  expect(await said({ contradictions: ['two answers'] })).toEqual(['two answers']);
});

test('webhooks that are missing, out of order, of another content, or with a wrong signature', async () => {
  const good = await received();
  const [first, second, ...rest] = good;
  if (first === undefined || second === undefined) throw new Error('no webhooks');
  expect((await all({ received: good.slice(1) }))[0]).toMatch(/is called delivered, and its receiver has not taken it/);
  expect((await all({ received: [second, first, ...rest] }))[0]).toMatch(/came for the first time after a later one/);
  expect((await all({ received: [{ ...first, isSigned: false }, second, ...rest] }))[0]).toMatch(
    /signature that does not fit/,
  );
  expect((await all({ received: [{ ...first, orderId: 2 }, second, ...rest] })).join()).toMatch(
    /came with another content/,
  );
  // The same again before what follows it is what "at least once" means.
  expect(await all({ received: [{ ...first, answered: 500 }, first, first, second, ...rest] })).toEqual([]);
  const code = { codes: ['one'] };
  const twice = good.map((each) => (each.event === 'product.delivered' ? { ...each, ...code } : each));
  expect((await all({ received: twice }))[0]).toMatch(/one code was given to the orders 1 and 2/);
});

test('a mail that is called sent and did not arrive, and one that nobody knows', async () => {
  const file = join(world.data, 'mail.jsonl');
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  writeFileSync(file, `${lines.slice(1).join('\n')}\n`);
  expect((await all())[0]).toMatch(/is called sent and did not arrive/);
  writeFileSync(file, `${lines.join('\n')}\n{"message_id":"<licence.9@shop>"}\n`);
  expect((await all())[0]).toMatch(/arrived, and nobody knows of it/);
});

test('a code, a key, an address or an unforeseen end in a log; a message that was parked, and poison that was not', async () => {
  const log = join(world.data, 'logs', 'order.log');
  writeFileSync(log, `${codeMark}1 till_test_key a@example.com\n{"level":"fatal","msg":"uncaughtException"}\n`);
  expect(await all({ customers: [{ ...customer, email: 'c1@example.com', orderId: undefined }] })).toHaveLength(4);
  writeFileSync(log, '');
  await client.query(`update fulfillment.parked_message set key = '1'`);
  expect(await all()).toEqual([
    'fulfillment has parked 1 of orders: Error',
    'poison-0 of orders cannot be read, and nobody has parked it',
  ]);
});
