// A hundred thousand renewals of one merchant that are due in the same minute, in one process, while another merchant's
// customers buy: `npm run bench:renewals` (`-- --renewals 10000`, `-- --kill` to kill the process twice in between).
// One subscription is bought as customers do; the others are copies of its rows. It reports and judges nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { claimPorts } from '@tillstream/testkit/ports';
import type { Client } from 'pg';
import { openAccount, post, sell } from './api.ts';
import { Buyers } from './buyer.ts';
import { connect } from './database-counts.ts';
import { makeFolder, removeFolder, startForm } from './form.ts';
import { openReceiver } from './receiver.ts';

const { values } = parseArgs({
  options: { renewals: { type: 'string', default: '100000' }, kill: { type: 'boolean', default: false } },
});
const wanted = Number(values.renewals);
// Ids that stand nowhere else in the rows, so that copies can be made by replacing them.
const [seedOrder, seedItem] = [888_001, 777_001];
const [firstOrder, firstItem] = [2_000_000, 4_000_000];

const at = { data: makeFolder(), portBase: await claimPorts() };
let form = await startForm('standalone', at);
const buyers = new Buyers();
const receiver = await openReceiver();
try {
  await bench();
} finally {
  await buyers.close();
  await form.stop();
  receiver.close();
  removeFolder(at.data);
}

async function bench(): Promise<void> {
  let database = await open();
  await post(form, '/v1/webhook_endpoints', { url: receiver.url });
  const plan = { subscription: { type: 'AR', period: 'P1Y' } };
  const link = await sell(form, { name: 'Yearly', codes: 2 * wanted + 10, more: plan });
  await database.query(`select setval('"order".order_number', $1), setval('"order".item_number', $2)`, [
    seedOrder - 1,
    seedItem - 1,
  ]);
  await buyers.buy(link, 'first@example.com', { auto_renew: '1' });
  await until(database, 'select count(*) as n from subscription.subscription', 1);
  await sleep(2_000);
  console.log(`${wanted} subscriptions are copied …`);
  await copy(database);
  const ordinary = await openOther();
  await buyers.buy(ordinary.link, 'warm-up@example.com');
  const before = receiver.ids.size;

  await database.query(`
    update subscription.timer set due_at = now() + interval '2 seconds' where kind = 'charge'`);
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1_000).toFixed(1);
  const watch = watchPurchases(ordinary.link);
  const reached = new Map<string, string>();
  const kills = values.kill ? [0.3, 0.6] : [];
  let last = '';
  for (;;) {
    const now = await progress(database);
    const line = `${now.ordered} ordered, ${now.paid} paid, ${now.delivered} delivered, ${receiver.ids.size - before} webhooks, ${now.mails} mails`;
    if (line !== last) console.log(`${seconds()} s: ${line}`);
    last = line;
    const done: readonly (readonly [string, boolean])[] = [
      ['ordered', now.ordered >= wanted],
      ['charged', now.paid >= wanted],
      ['delivered', now.delivered >= wanted],
      ['announced', receiver.ids.size - before >= 3 * wanted],
    ];
    for (const [what, isDone] of done) if (isDone && !reached.has(what)) reached.set(what, seconds());
    if (done.every(([, isDone]) => isDone)) break;
    if (kills[0] !== undefined && now.paid >= kills[0] * wanted) {
      kills.shift();
      console.log(`${seconds()} s: killed`);
      process.kill(form.pid, 'SIGKILL');
      form = await startForm('standalone', at);
      database = await open();
    }
    await sleep(1_000);
  }
  const purchases = await watch.end();
  console.log(`mails sent by then: ${(await progress(database)).mails} of ${2 * wanted}; the rest follows`);
  await report(database, reached, purchases, before);
  await database.end();
}

/** It ends with the product. */
async function open(): Promise<Client> {
  const client = await connect(at);
  client.on('error', () => undefined);
  return client;
}

async function report(
  database: Client,
  reached: ReadonlyMap<string, string>,
  purchases: { readonly ms: readonly number[]; readonly failed: number },
  before: number,
): Promise<void> {
  await sleep(3_000);
  const { rows } = await database.query<Record<string, string>>(`
    select
      (select count(*) from (select subscription_id, term from "order".purchase_order where subscription_id is not null group by 1, 2 having count(*) > 1) d) as children_twice,
      (select count(*) from (select order_id from payment.payment where status = 'booked' group by 1 having count(*) > 1) d) as paid_twice,
      (select count(*) from (select item_id, unit_no from fulfillment.licence group by 1, 2 having count(*) > 1) d) as licensed_twice,
      (select count(*) from (select merchant_id, kind, about from notification.mail group by 1, 2, 3 having count(*) > 1) d) as mailed_twice`);
  console.log(`\n| ${wanted} renewals due at once | seconds |\n| --- | --- |`);
  for (const [what, when] of reached) console.log(`| all ${what} | ${when} |`);
  const sorted = purchases.ms.toSorted((a, b) => a - b);
  const quantile = (of: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * of))] ?? 0).toFixed(0);
  console.log(
    `\nAnother merchant's purchases meanwhile, from the card to the licence: ${sorted.length} (${purchases.failed} failed), p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms.`,
  );
  console.log(`Twice: ${JSON.stringify(rows[0])}; webhooks ${receiver.ids.size - before} different.`);
}

interface Progress {
  readonly ordered: number;
  readonly paid: number;
  readonly delivered: number;
  readonly mails: number;
}

async function progress(database: Client): Promise<Progress> {
  const { rows } = await database.query<Record<keyof Progress, string>>(`
    select
      (select count(*) from "order".purchase_order where subscription_id is not null) as ordered,
      (select count(*) from "order".purchase_order where subscription_id is not null and status = 'paid') as paid,
      (select count(*) from "order".purchase_order where subscription_id is not null and fulfilment_status = 'delivered') as delivered,
      (select count(*) from notification.mail m join "order".purchase_order o on o.order_id = m.order_id
        where o.subscription_id is not null and m.status = 'sent') as mails`);
  const [row] = rows;
  return {
    ordered: Number(row?.ordered),
    paid: Number(row?.paid),
    delivered: Number(row?.delivered),
    mails: Number(row?.mails),
  };
}

/**
 * The rows of one subscription, its order, payment, delivery and mails, as many times as wanted, with other ids; due in a
 * year, which is now. What is as large in a shop of that size is as large here: plans depend on it.
 */
async function copy(database: Client): Promise<void> {
  const { rows } = await database.query<{ payment_id: string; instrument_id: string }>(
    'select payment_id, instrument_id from payment.payment where order_id = $1',
    [seedOrder],
  );
  const [paid] = rows;
  if (paid === undefined) throw new Error('the seed was not paid');
  const replaced = (text: string) =>
    [
      [seedOrder, `(${firstOrder} + n)::text`],
      [seedItem, `(${firstItem} + n)::text`],
      [paid.payment_id, `md5('payment' || n)::uuid::text`],
      [paid.instrument_id, `md5('instrument' || n)::uuid::text`],
    ].reduce((inner, [from, to]) => `replace(${inner}, '${from}', ${to})`, text);
  const copies = (table: string, where: string, more = `'{}'::jsonb`) =>
    database.query(`
      insert into ${table} select made.* from ${table} t, generate_series(1, ${wanted - 1}) n,
        lateral jsonb_populate_record(null::${table}, ${replaced('to_jsonb(t)::text')}::jsonb || ${more}) made
      where ${where}`);
  await database.query(`
    update subscription.subscription set charge_at = now(), next_charge_at = now(), expires_at = now() + interval '20 days',
      notice_at = null, anchor_on = to_char(now() + interval '20 days' - interval '1 year', 'YYYY-MM-DD'),
      started_at = now() - interval '345 days'`);
  await database.query(`delete from subscription.timer where kind <> 'charge'`);
  const token = `jsonb_build_object('token', md5(n::text), 'placed', jsonb_set(${replaced('(t.placed)::text')}::jsonb, '{token}', to_jsonb(md5(n::text))))`;
  const [ofOrder, ofSubscription] = [`t.order_id = ${seedOrder}`, `t.subscription_id = '${seedOrder}_${seedItem}'`];
  await copies('"order".purchase_order', ofOrder, token);
  await copies('"order".order_history', ofOrder);
  await copies('payment.instrument', 'true', `jsonb_build_object('provider_token', t.provider_token)`);
  await copies('payment.payment', ofOrder);
  await copies('payment.payment_history', ofOrder);
  await copies('payment.attempt', 'true', `jsonb_build_object('attempt_id', gen_random_uuid())`);
  await copies('fulfillment.delivery', ofOrder);
  await database.query(`
    with code as (
      select pool_code_id, merchant_id, product_id, row_number() over (order by pool_code_id) as n
      from fulfillment.pool_code where issued_at is null and product_id = (select product_id from fulfillment.delivery where order_id = ${seedOrder})
      order by pool_code_id limit ${wanted - 1}),
    issued as (update fulfillment.pool_code c set issued_at = now() from code where c.pool_code_id = code.pool_code_id),
    counted as (
      update fulfillment.pool set available = available - ${wanted - 1}, issued = issued + ${wanted - 1}
      where (merchant_id, product_id) in (select merchant_id, product_id from code))
    insert into fulfillment.licence (licence_id, merchant_id, order_id, item_id, unit_no, pool_code_id, issued_at)
    select gen_random_uuid(), merchant_id, ${firstOrder} + n, ${firstItem} + n, 1, pool_code_id, now() from code`);
  await copies(
    'notification.mail',
    ofOrder,
    `jsonb_build_object('id', gen_random_uuid(), 'status', 'not_wanted', 'sent_at', null)`,
  );
  await copies('subscription.subscription', ofSubscription);
  await copies('subscription.subscription_order', ofOrder);
  await copies('subscription.subscription_history', ofSubscription);
  await copies(
    'subscription.timer',
    `t.aggregate_id = '${seedOrder}_${seedItem}'`,
    `jsonb_build_object('timer_id', gen_random_uuid())`,
  );
  await database.query('vacuum (analyze)');
}

async function openOther(): Promise<{ link: string }> {
  const other = { ...form, apiKey: await openAccount(form, 'Another shop') };
  return { link: `${await sell(other, { name: 'Program', codes: 5_000 })}?quantity=1&currency=EUR` };
}

/** Two customers a second, from the card to the licence. */
function watchPurchases(link: string): { end(): Promise<{ ms: readonly number[]; failed: number }> } {
  const ms: number[] = [];
  const running: Promise<void>[] = [];
  let [failed, nth, isOver] = [0, 0, false];
  const one = async () => {
    try {
      const { paidAt } = await buyers.buy(link, `other-${(nth += 1)}@example.com`);
      ms.push(Date.now() - paidAt);
    } catch {
      failed += 1;
    }
  };
  const timer = setInterval(() => !isOver && running.push(one()), 500);
  return {
    end: async () => {
      isOver = true;
      clearInterval(timer);
      await Promise.all(running);
      return { ms, failed };
    },
  };
}

async function until(database: Client, question: string, least: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { rows } = await database.query<{ n: string }>(question);
    if (Number(rows[0]?.n) >= least) return;
    await sleep(100);
  }
  throw new Error(`not reached: ${question}`);
}
