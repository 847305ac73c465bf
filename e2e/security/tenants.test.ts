/**
 * What belongs to somebody else is not found: every route of the OpenAPI document, asked by everybody who must not get an
 * answer, with every id in path, query and body. A new route is covered by being in the document; one that cannot be
 * filled fails here with a sentence.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Product } from '../product.ts';
import { Shop, type Answer } from '../shop.ts';
import { Receiver } from '../webhooks.ts';
import { Dice } from './dice.ts';
import { collectionOf, fillPath, readOperations, type Operation } from './document.ts';
import { Rows } from './rows.ts';
import { sample } from './sample.ts';
import { openAccount, startShops, stock, type Account, type Stock } from './shops.ts';

interface Problem {
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly param?: string;
}

let product: Product;
let operations: readonly Operation[];
let rows: Rows;
let [ada, bob]: readonly (Account | undefined)[] = [];
let sold: Stock;
/** Ada's ids by collection, and all of them. */
const ids = new Map<string, string>();
const strangers: Record<string, Shop> = {};
const receiver = new Receiver();
const dice = new Dice(4);

beforeAll(async () => {
  product = await startShops();
  await receiver.listen();
  [operations, rows] = await Promise.all([readOperations(product.gateway), Rows.open(product)]);
  [ada, bob] = [await openAccount(product, 'ada'), await openAccount(product, 'bob')];
  sold = await stock(ada.shop, receiver);
  await bob.shop.createProduct('Of Bob');
  const key = (scopes: readonly string[]) =>
    bob?.shop.must<{ id: string; secret: string }>('POST', '/v1/api_keys', { name: 'x', scopes }) ?? Promise.reject();
  const revoked = await key(['read', 'write']);
  await bob.shop.must('DELETE', `/v1/api_keys/${revoked.id}`);
  Object.assign(strangers, {
    'no key': new Shop(product.gateway, ''),
    'no such key': new Shop(product.gateway, `${ada.shop.key.slice(0, -3)}abc`),
    'a revoked key': new Shop(product.gateway, revoked.secret),
    'a key that may only read': new Shop(product.gateway, (await key(['read'])).secret),
    'another merchant': bob.shop,
    'another merchant, live': bob.live,
    'the same account, live': ada.live,
  });
  for (const { path } of operations) {
    const collection = collectionOf(path);
    if (collection === undefined || ids.has(collection)) continue;
    const { data } = await ada.shop.must<{ data: readonly { id: string | number }[] }>('GET', `${collection}?limit=1`);
    ids.set(collection, String(data[0]?.id ?? ''));
  }
});

afterAll(async () => {
  await rows.close();
  await product.stop();
  await receiver.goDown();
  product.forget();
});

/** What the operation is asked with, with an id in its place; as often as it takes: a key may read two hundred times a second. */
async function ask(shop: Shop, operation: Operation, id: string, more: { query?: string; body?: unknown } = {}) {
  const body =
    more.body ?? (operation.isBodyNeeded && operation.body !== undefined ? sample(operation.body, dice) : undefined);
  const target = fillPath(operation.path, { id }) + (more.query ?? '');
  for (;;) {
    const answer = await shop.call<Problem>(operation.method as 'GET', target, body);
    if (answer.status !== 429) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Of the same form, and nobody's. */
function unknown(id: string): string {
  if (/^(sub_)?[\d_]+$/.test(id)) return id.replaceAll(/\d/g, '9');
  return id.endsWith('000') ? id.replace(/000$/, '111') : id.replace(/...$/, '000');
}

const told = ({ status, body }: Answer<Problem>) => [status, body?.code, body?.title, body?.detail, body?.param];

const withId = () => operations.filter(({ path }) => path.includes('{'));

describe('every route', () => {
  test('can be asked for something that there is', () => {
    expect(operations.length).toBeGreaterThanOrEqual(40);
    for (const [collection, id] of ids)
      expect(id, `Ada has nothing in ${collection}: teach shops.ts to make one`).not.toBe('');
    for (const { id, path } of withId()) expect(path.match(/\{/g), `${id}: more than one placeholder`).toHaveLength(1);
  });

  test('is closed without a key, with a wrong or revoked one, and for writing with one that may only read', async () => {
    for (const operation of operations) {
      const id = ids.get(collectionOf(operation.path) ?? '') ?? '';
      for (const who of ['no key', 'no such key', 'a revoked key'])
        expect((await ask(shopOf(who), operation, id)).status, `${operation.id} with ${who}`).toBe(401);
      if (operation.method === 'GET') continue;
      const answer = await ask(shopOf('a key that may only read'), operation, id);
      expect([answer.status, answer.body.code], operation.id).toEqual([403, 'missing_scope']);
    }
  });

  test('does not find what is another merchant’s or of the other mode, and says no more than of what is not there', async () => {
    const before = await quiet();
    for (const operation of withId()) {
      const id = ids.get(collectionOf(operation.path) ?? '') ?? '';
      for (const who of ['another merchant', 'another merchant, live', 'the same account, live']) {
        // Valid, and the same for both.
        const body = operation.body === undefined ? undefined : sample(operation.body, new Dice(9));
        const foreign = await ask(shopOf(who), operation, id, { body });
        const nobodys = await ask(shopOf(who), operation, unknown(id), { body });
        expect(foreign.status, `${operation.id} for ${who}: ${foreign.text}`).toBe(404);
        expect(told(foreign), `${operation.id} for ${who}`).toEqual(told(nobodys));
      }
    }
    expect(await rows.printOf(ada?.testMerchantId ?? '')).toEqual(before);
  });

  test('lists nothing of another, whatever it is filtered by and wherever it begins', async () => {
    const words = [...ids.values(), 'Quill of the shop', sold.paid.token, 'marcel.laporte'].filter(
      (word) => word.length > 3,
    );
    for (const operation of operations.filter(({ method, path }) => method === 'GET' && !path.includes('{'))) {
      const filters = operation.parameters.filter(
        ({ in: place, schema }) => place === 'query' && schema.type === 'string',
      );
      const queries = filters.flatMap(({ name, schema }) =>
        (schema.enum ?? [...ids.values(), 'marcel.laporte@example.com']).map((value) => [name, String(value)] as const),
      );
      for (const who of ['another merchant', 'another merchant, live', 'the same account, live']) {
        for (const [name, value] of [['limit', '100'] as const, ...queries]) {
          if (name === 'limit' && operation.parameters.length === 0) continue;
          const answer = await ask(shopOf(who), operation, '', { query: `?${name}=${encodeURIComponent(value)}` });
          const where = `${operation.id}?${name}=${value} for ${who}`;
          expect(answer.status, where).toBeLessThan(500);
          const heard = answer.status < 300 ? answer.text : '';
          expect(
            words.filter((word) => heard.includes(word)),
            where,
          ).toEqual([]);
          const other = await ask(shopOf(who), operation, '', {
            query: `?${name}=${encodeURIComponent(unknown(value))}`,
          });
          if (schemaOf(operation, name)?.enum === undefined && name !== 'limit')
            expect(other.status, where).toBe(answer.status);
        }
      }
    }
  });

  test('takes no id of another in its body', async () => {
    const before = await quiet();
    let checked = 0;
    for (const operation of operations) {
      for (const [name, schema] of Object.entries(operation.body?.properties ?? {})) {
        const isId = /(^|_)ids?$/.test(name);
        if (
          !isId &&
          !(schema.type === 'string' && /^(product|order|subscription|endpoint|event|payment|item)$/.test(name))
        )
          continue;
        if (schema.type !== 'string')
          throw new Error(`${operation.id}: ${name} holds ids and is no text: teach this test`);
        for (const id of ids.values()) {
          const body = { ...(sample(operation.body ?? {}, new Dice(9)) as object), [name]: id };
          const answer = await ask(shopOf('another merchant'), operation, '', { body });
          expect(answer.status, `${operation.id} with ${name}=${id}`).toBe(404);
          checked += 1;
        }
      }
    }
    expect(checked).toBeGreaterThan(0);
    expect(await rows.printOf(ada?.testMerchantId ?? '')).toEqual(before);
  });

  test('answers an idempotency key to the merchant alone who used it', async () => {
    const makers = operations.filter(
      ({ method, path, body }) => method === 'POST' && !path.includes('{') && body !== undefined,
    );
    let replayed = 0;
    for (const operation of makers) {
      const body = sample(operation.body ?? {}, new Dice(11));
      const headers = { 'idempotency-key': `the same for both: ${operation.id}` };
      const first = await ada?.shop.call('POST', operation.path, body, headers);
      const again = await ada?.shop.call('POST', operation.path, body, headers);
      const other = await bob?.shop.call('POST', operation.path, body, headers);
      if (first === undefined || first.status >= 300 || other === undefined) continue;
      replayed += 1;
      expect(again?.headers['idempotent-replayed'], operation.id).toBe('true');
      expect(other.headers['idempotent-replayed'], operation.id).toBeUndefined();
      const { id }: { id?: unknown } = JSON.parse(first.text);
      if (typeof id === 'string') expect(other.text, operation.id).not.toContain(id);
    }
    expect(replayed).toBeGreaterThan(2);
  });

  test('is found by its own merchant: the ids above were real', async () => {
    for (const operation of withId().filter(({ method }) => method === 'GET')) {
      const id = ids.get(collectionOf(operation.path) ?? '') ?? '';
      const answer = await ask(ada?.shop ?? shopOf('no key'), operation, id);
      expect(answer.status, `${operation.id} ${id}: ${answer.text}`).toBe(200);
    }
  });
});

function shopOf(who: string): Shop {
  const shop = strangers[who];
  if (shop === undefined) throw new Error(`nobody is ${who}`);
  return shop;
}

function schemaOf(operation: Operation, name: string) {
  return operation.parameters.find((each) => each.name === name)?.schema;
}

/** Ada's rows, when what was under way is done. */
async function quiet(): Promise<ReadonlyMap<string, string>> {
  let before = await rows.printOf(ada?.testMerchantId ?? '');
  for (let tries = 0; tries < 60; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    const now = await rows.printOf(ada?.testMerchantId ?? '');
    if (JSON.stringify([...now]) === JSON.stringify([...before])) return now;
    before = now;
  }
  throw new Error('the rows of Ada do not come to rest');
}
