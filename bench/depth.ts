// Does a purchase cost the same in a shop that has sold much? `npm run bench:depth -- --orders 1000000`: two copies of the
// product, one with ten thousand orders and one with as many as asked for, sell in turn. One order is bought as customers
// do; the others are copies of all rows that it left behind, with ids of their own. It reports and judges nothing.
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Client } from 'pg';
import { claimPorts } from '@tillstream/testkit/ports';
import { connect, prepareServer } from './database-counts.ts';
import { makeFolder, removeFolder, startForm } from './form.ts';
import { compare } from './measure.ts';
import { Ground } from './window.ts';

const { values } = parseArgs({
  options: { orders: { type: 'string', default: '100000' }, customers: { type: 'string', default: '8' } },
});
const few = 10_000;
const many = Number(values.orders);
// Ids that stand nowhere else in the rows, so that they can be told from other numbers.
const [seedOrder, seedItem] = [888_001, 777_001];
const [firstOrder, firstItem, firstCode] = [2_000_000, 20_000_000, 40_000_000];
const atOnce = 20_000;
// What there is once, however much is sold.
const single = /^(carrier\.(group_|partition_head)|webhook\.(shard_lease|dispatcher)|fulfillment\.pool$)/;
const shared = new Set(['merchant_id', 'endpoint_id']);

const started: (() => Promise<void>)[] = [];
try {
  const shallow = await shopWith(few);
  const deep = await shopWith(many);
  say(`purchases in turn, at ${few} and at ${many} orders`);
  const found = await compare(shallow, deep, Number(values.customers));
  const rows = found.ratios.map(
    ([what, a, b]) => `| ${what} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(b / a).toFixed(2)} |`,
  );
  console.log(
    `\n| a purchase costs | at ${few} orders | at ${many} | ratio (goal ≤ 1.15) |\n|---|---|---|---|\n${rows.join('\n')}`,
  );
  console.log(
    `\nOrders: ${found.isValid ? 'all right' : 'NOT all right'}. Others kept ${found.othersCores.toFixed(2)} cores busy.`,
  );
} finally {
  for (const stop of started.toReversed()) await stop();
}

async function shopWith(orders: number): Promise<Ground> {
  const at = { data: makeFolder(), portBase: await claimPorts() };
  started.push(async () => removeFolder(at.data));
  await prepareServer(at);
  const form = await startForm('standalone', at);
  started.push(() => form.stop());
  const ground = await Ground.open(form, 5_000);
  started.push(() => ground.close());
  const client = await connect(at);
  // Where something else failed, it ends with the product, and what failed is what should be said.
  client.on('error', () => undefined);
  const ask = async (text: string) => (await client.query<{ of: string }>(text)).rows[0]?.of ?? '';
  await ask(`select setval('"order".order_number', ${seedOrder - 1}), setval('"order".item_number', ${seedItem - 1})`);
  const since = await ask('select pg_current_xact_id()::text as of');
  const seed = await ground.open(1, 1);
  if (!seed.fulfilment.isValid || seed.load.purchases.length !== 1) throw new Error(seed.fulfilment.verdict);
  const tables = await grown(client, since);
  // Nothing needs to be checked or told: each copy stands beside what it refers to.
  await ask('set session_replication_role = replica');
  await ask('set synchronous_commit = off');
  await ask(`create function pg_temp.twin(id text, n bigint) returns uuid immutable language sql return
    (substr(id, 1, 8) || substr(lpad(to_hex(n), 8, '0'), 1, 4) || '7' || substr(md5(id || n), 1, 3) || '8' || substr(md5(id || n), 4, 15))::uuid`);
  for (let from = 1; from <= orders; from += atOnce) {
    for (const copy of tables) await ask(copy(from, Math.min(orders, from + atOnce - 1)));
    if ((from - 1) % 100_000 === 0) say(`${from - 1} of ${orders} orders`);
  }
  await ask(
    `select setval('"order".order_number', ${firstOrder + orders + 1}), setval('"order".item_number', ${firstItem + orders + 1})`,
  );
  await ask('vacuum (analyze)');
  say(`${orders} orders: ${await ask('select pg_size_pretty(pg_database_size(current_database())) as of')}`);
  await client.end();
  return ground;
}

/** For each table that the seed left rows in, the statement that copies them. */
async function grown(client: Client, since: string): Promise<readonly ((from: number, to: number) => string)[]> {
  const { rows } = await client.query<{ table: string; columns: readonly Column[] }>(`
    select format('%I.%I', n.nspname, c.relname) as table,
      json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null)) order by a.attnum) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and n.nspname !~ '^pg_|information_schema' and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    group by 1`);
  const copies: ((from: number, to: number) => string)[] = [];
  for (const [nth, { table, columns }] of rows.entries()) {
    if (single.test(table.replaceAll('"', ''))) continue;
    const seeds = `seed_${nth}`;
    const made = await client.query(
      `create temp table ${seeds} as select * from ${table} t where xmin::text::bigint >= ${since}`,
    );
    if (made.rowCount === 0) continue;
    const names = columns.map(({ name }) => `"${name}"`).join(', ');
    const copied = columns.map((column) => valueOf(table, column)).join(', ');
    copies.push(
      (from, to) =>
        `insert into ${table} (${names}) overriding system value select ${copied} from generate_series(${from}, ${to}) n, ${seeds} t`,
    );
  }
  return copies;
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/** A copy's value: ids become the copy's own, the same in every table; anything else stays. */
function valueOf(table: string, { name, type }: Column): string {
  const column = `t."${name}"`;
  if (shared.has(name)) return column;
  if (type === 'uuid') return `pg_temp.twin(${column}::text, n)`;
  if (name === 'pool_code_id') return `${firstCode} + n`;
  if (name === 'fingerprint') return `sha256(convert_to(${column}::text || n, 'UTF8'))`;
  // Behind what is there: positions are read upwards, and these have been read.
  if (/^(carrier\.log|.*\.outbox)$/.test(table) && (name === 'offset' || name === 'id')) return `${column} - 100 * n`;
  if (type === 'bigint')
    return `case ${column} when ${seedOrder} then ${firstOrder} + n when ${seedItem} then ${firstItem} + n else ${column} end`;
  if (type !== 'text') return column;
  const replaced = `replace(replace(${column}, '${seedOrder}', (${firstOrder} + n)::text), '${seedItem}', (${firstItem} + n)::text)`;
  return `case when ${column} ~ '^[0-9a-f]{32}$' then md5(${column} || n) when ${column} ~ '^[0-9a-f-]{36}$' then pg_temp.twin(${column}, n)::text when ${column} ~ '^(sbx_|evt_)' then ${column} || n else ${replaced} end`;
}

function say(what: string): void {
  console.log(`${process.uptime().toFixed(0).padStart(4)} s  ${what} …`);
}
