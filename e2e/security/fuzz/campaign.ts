/** So many requests to a running product: each answer is judged, and at the end what the rows look like. */
import { collectionOf, readOperations, type Operation } from '../document.ts';
import { Dice } from '../dice.ts';
import type { Product } from '../../product.ts';
import { Receiver } from '../../webhooks.ts';
import { Rows } from '../rows.ts';
import { openAccount, stock } from '../shops.ts';
import type { Shop } from '../../shop.ts';
import { makeRequest, type FuzzRequest, type Pool } from './request.ts';
import { unrest } from './rest.ts';
import { Sender, shrink, type Outcome } from './sender.ts';

export interface Verdict {
  readonly requests: number;
  readonly operations: number;
  readonly tookMs: number;
  readonly slowestMs: number;
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>;
  /** What is wrong, in sentences; empty = nothing. */
  readonly complaints: readonly string[];
}

// One key may write a hundred times a second.
const keyCount = 40;
const lanes = 16;
const mostComplaints = 5;
// Ids of one collection that are kept: enough to choose from, little to print.
const mostIds = 60;

export async function fuzz(
  product: Product,
  options: { requests: number; seed: number; progress?: (done: number) => void },
): Promise<Verdict> {
  const operations = await readOperations(product.gateway);
  const receiver = await new Receiver().listen();
  const rows = await Rows.open(product);
  const sender = new Sender(product.gateway, operations);
  try {
    const ids = new Map<string, string[]>();
    const pool = await makePool(product, receiver, operations, ids);
    const statuses = new Map<number, number>();
    const succeeded = new Set<string>();
    const complaints: string[] = [];
    const startedAt = performance.now();
    let [next, slowestMs] = [0, 0];
    const lane = async () => {
      while (next < options.requests && complaints.length < mostComplaints) {
        const number = next;
        next += 1;
        const asked = makeRequest(operations, pool, new Dice(options.seed * 1_000_003 + number));
        const outcome = await sender.send(asked);
        statuses.set(outcome.status, (statuses.get(outcome.status) ?? 0) + 1);
        slowestMs = Math.max(slowestMs, outcome.tookMs);
        if (outcome.complaint !== undefined) complaints.push(await tell(number, asked, outcome, sender));
        if (outcome.status >= 200 && outcome.status < 300 && asked.operation !== undefined) {
          succeeded.add(asked.operation);
          learn(ids, operations, asked, outcome.text);
        }
        options.progress?.(number + 1);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    const tookMs = performance.now() - startedAt;
    // A program that never gets through tests the doorman only.
    for (const { id } of operations)
      if (!succeeded.has(id) && options.requests >= operations.length * 40 && complaints.length === 0)
        complaints.push(
          `${id} was never answered with success: teach sample.ts its values, or shops.ts to have what it needs`,
        );
    complaints.push(...(await unrest(rows)));
    return { requests: next, operations: operations.length, tookMs, slowestMs, statuses, complaints };
  } finally {
    await sender.close();
    await rows.close();
    await receiver.goDown();
  }
}

async function makePool(
  product: Product,
  receiver: Receiver,
  operations: readonly Operation[],
  ids: Map<string, string[]>,
): Promise<Pool> {
  // Two shops: a clock that leaps years ahead would make each of its subscriptions renew for years.
  const main = await openAccount(product, 'fuzz');
  const timely = await openAccount(product, 'fuzz of time');
  await main.shop.must('PATCH', '/v1/merchant', { policies: { renewal_consent: 'switch' } });
  for (let times = 0; times < 3; times += 1) await stock(main.shop, receiver, 40);
  const keys = await Promise.all(Array.from({ length: keyCount }, () => makeKey(main.shop, ['read', 'write'])));
  const [reader, revoked] = [await makeKey(main.shop, ['read']), await makeKey(main.shop, ['read', 'write'])];
  await main.shop.must('DELETE', `/v1/api_keys/${revoked.id}`);
  const timeKeys = await Promise.all(Array.from({ length: 4 }, () => makeKey(timely.shop, ['read', 'write'])));
  for (const operation of operations) {
    const collection = collectionOf(operation.path);
    if (collection !== undefined && !ids.has(collection)) ids.set(collection, await idsIn(main.shop, collection));
  }
  // Not the keys with which the fuzz itself asks.
  ids.set('/v1/api_keys', [revoked.id]);
  const ofTime = operations
    .filter(({ path }) => path.startsWith('/v1/test_clock'))
    .map(({ id }) => [id, timeKeys.map(({ secret }) => secret)] as const);
  return {
    keys: keys.map(({ secret }) => secret),
    badKeys: [reader.secret, revoked.secret, main.live.key, 'till_test_', 'x'.repeat(300), `${main.shop.key}x`],
    ids,
    kept: new Set([...ids.values()].flat().filter((id) => id !== revoked.id)),
    keysOf: Object.fromEntries(ofTime),
  };
}

function makeKey(shop: Shop, scopes: readonly string[]): Promise<{ id: string; secret: string }> {
  return shop.must('POST', '/v1/api_keys', { name: 'fuzz', scopes });
}

async function idsIn(shop: Shop, collection: string): Promise<string[]> {
  const { data } = await shop.must<{ data: readonly { id: string | number }[] }>('GET', `${collection}?limit=50`);
  if (data.length === 0)
    throw new Error(`the shop of the fuzz has nothing in ${collection}: teach shops.ts to make one`);
  return data.map(({ id }) => String(id));
}

/** New things become ids for what follows. */
function learn(ids: Map<string, string[]>, operations: readonly Operation[], asked: FuzzRequest, text: string): void {
  const operation = operations.find(({ id }) => id === asked.operation);
  const known = ids.get(operation?.path ?? '');
  if (operation?.method !== 'POST' || known === undefined || known.length >= mostIds) return;
  const { id }: { id?: unknown } = JSON.parse(text);
  if (typeof id === 'string') known.push(id);
}

async function tell(number: number, asked: FuzzRequest, outcome: Outcome, sender: Sender): Promise<string> {
  const smallest = await shrink(asked, sender);
  const shown = JSON.stringify(smallest ?? asked);
  return [
    `request ${number}: ${outcome.complaint ?? ''}`,
    `  ${smallest === undefined ? 'not again when it was sent alone; it was' : 'the smallest that still does it:'} ${shown.length > 2_000 ? `${shown.slice(0, 2_000)}… (${shown.length} characters)` : shown}`,
  ].join('\n');
}
