// What one purchase asks of the database, counted instead of timed: customers who come one after the other, each at rest
// before the next, so that nothing is batched by chance. `node bench/cost.ts` prints it, `--record` keeps it in cost.json,
// which cost.test.ts holds the product to.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimPorts } from '@tillstream/testkit/ports';
import { CountedDatabase, prepareServer, type Counts } from './database-counts.ts';
import { makeFolder, removeFolder, startForm, type Form } from './form.ts';
import { fulfilmentOf, Mails } from './gate.ts';
import { closedLoop, sequence } from './load.ts';
import { openShop } from './shop.ts';

export interface PurchaseCost {
  readonly statements: number;
  readonly transactions: number;
  /** By the beginning of its text. */
  readonly byStatement: Readonly<Record<string, number>>;
}

export interface CountedPurchases extends PurchaseCost {
  /** Of many customers who come at once, so that what they ask for is gathered. */
  readonly inCrowd: PurchaseCost;
  /** What was wrong with an order, or nothing. */
  readonly isValid: boolean;
  readonly verdict: string;
}

const file = join(import.meta.dirname, 'cost.json');
const warmUps = 3;
// More than enough for the purchases of both kinds.
const codesEach = 1_000;
const [crowd, crowdSeconds] = [128, 3];
const idleMs = 12_000;
// A backend that has fallen idle reports its transactions within ten seconds.
const reportMs = 11_000;

/** In one process on data of its own; what polls while nobody buys is taken off. */
export async function countPurchases(purchases = 12): Promise<CountedPurchases> {
  const at = { data: makeFolder(), portBase: await claimPorts() };
  let form: Form | undefined;
  try {
    await prepareServer(at);
    form = await startForm('standalone', at);
    return await countIn(form, purchases);
  } finally {
    await form?.stop();
    removeFolder(at.data);
  }
}

async function countIn(form: Form, purchases: number): Promise<CountedPurchases> {
  const shop = await openShop(form, codesEach);
  const database = await CountedDatabase.open(form);
  const mails = new Mails(form.data);
  const isServed = (orderId: number, email: string) => {
    mails.read();
    return (shop.heard.get(orderId)?.length ?? 0) >= 3 && mails.count(email) >= 2;
  };
  const buy = (times: number) => sequence(shop.links, times, ({ orderId, email }) => isServed(orderId, email));
  try {
    await fulfilmentOf(await buy(warmUps), { shop, mails, database });
    const idleFrom = await read(database);
    await sleep(idleMs);
    const from = await read(database);
    const load = await buy(purchases);
    const to = await read(database);
    const alone = await fulfilmentOf(load, { shop, mails, database });
    const many = await closedLoop(shop.links, crowd, crowdSeconds);
    const served = await fulfilmentOf(many, { shop, mails, database });
    const end = await read(database);
    const idle = [idleFrom, from] as const;
    return {
      ...costOf(idle, [from, to], purchases),
      inCrowd: costOf(idle, [to, end], many.purchases.length),
      isValid: alone.isValid && served.isValid,
      verdict: alone.isValid ? served.verdict : alone.verdict,
    };
  } finally {
    await database.close();
    await shop.close();
  }
}

interface Reading extends Counts {
  readonly at: number;
}

async function read(database: CountedDatabase): Promise<Reading> {
  return { ...(await database.counts(reportMs)), at: performance.now() };
}

type Span = readonly [from: Reading, to: Reading];

function costOf(idle: Span, [from, to]: Span, purchases: number): PurchaseCost {
  const idleShare = (to.at - from.at) / (idle[1].at - idle[0].at);
  const each = (of: (counts: Counts) => number) =>
    (of(to) - of(from) - (of(idle[1]) - of(idle[0])) * idleShare) / purchases;
  const byStatement: Record<string, number> = {};
  for (const query of to.byStatement.keys()) {
    const calls = Math.round(each((counts) => counts.byStatement.get(query) ?? 0) * 10) / 10;
    const name = query.replaceAll(/\s+/g, ' ').slice(0, 120);
    if (calls >= 0.3) byStatement[name] = (byStatement[name] ?? 0) + calls;
  }
  const dearest = Object.entries(byStatement).toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return {
    statements: each((counts) => (counts.statements ?? Number.NaN) + counts.control),
    transactions: each((counts) => counts.transactions),
    byStatement: Object.fromEntries(dearest),
  };
}

export function recordedCost(): PurchaseCost {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The statements that are asked more often than recorded: the story of a purchase that became dearer. */
export function dearerStatements(found: PurchaseCost, recorded: PurchaseCost): readonly string[] {
  return Object.entries(found.byStatement)
    .map(([query, calls]) => [query, calls, recorded.byStatement[query] ?? 0] as const)
    .filter(([, calls, before]) => calls - before >= 0.5)
    .map(([query, calls, before]) => `${before.toFixed(1)} → ${calls.toFixed(1)}  ${query}`);
}

if (import.meta.main) {
  const { isValid, verdict, inCrowd, ...cost } = await countPurchases();
  for (const [query, calls] of Object.entries(cost.byStatement))
    console.log(`${calls.toFixed(1).padStart(6)}  ${query}`);
  const shown = `${cost.statements.toFixed(1)} statements (begin and commit among them), ${cost.transactions.toFixed(1)} transactions a purchase`;
  console.log(`${shown}; ${verdict}`);
  console.log(
    `${inCrowd.statements.toFixed(1)} statements and ${inCrowd.transactions.toFixed(1)} transactions in a crowd of ${crowd}`,
  );
  if (!isValid) process.exitCode = 1;
  else if (process.argv.includes('--record'))
    writeFileSync(
      file,
      `${JSON.stringify({ ...cost, statements: Math.round(cost.statements * 10) / 10, transactions: Math.round(cost.transactions * 10) / 10 }, undefined, 2)}\n`,
    );
}
