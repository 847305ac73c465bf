/** One request of the fuzz: plain data, so that it can be printed, sent again and made smaller. */
import { collectionOf, fillPath, type Operation } from '../document.ts';
import { hostile, hostileText, sample, spoil } from '../sample.ts';
import type { Dice } from '../dice.ts';

export interface FuzzRequest {
  /** The operation of the document, or undefined for what it does not name. */
  readonly operation: string | undefined;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** What is known of the shop while the fuzz runs. */
export interface Pool {
  /** Keys that may do everything. */
  readonly keys: readonly string[];
  /** Keys that may not, and texts that are no keys. */
  readonly badKeys: readonly string[];
  /** Ids by their collection, such as /v1/orders. */
  readonly ids: ReadonlyMap<string, readonly string[]>;
  /** Not to be deleted: without them other operations could not be answered with success. */
  readonly kept: ReadonlySet<string>;
  /** Where an operation is not for the shop with the orders: its keys. */
  readonly keysOf: Readonly<Record<string, readonly string[]>>;
}

export function makeRequest(operations: readonly Operation[], pool: Pool, dice: Dice): FuzzRequest {
  if (dice.chance(0.04)) return strange(pool, dice);
  const operation = dice.pick(operations);
  const isSpoilt = dice.chance(0.55);
  const query = new URLSearchParams();
  const path: Record<string, string> = {};
  for (const { name, in: place, required, schema } of operation.parameters) {
    const isHit = isSpoilt && dice.chance(0.4);
    if (place === 'path') path[name] = isHit ? hostileText(dice) : idFor(operation, pool, dice);
    if (operation.method === 'DELETE' && pool.kept.has(path[name] ?? '')) path[name] = 'kept';
    if (place !== 'query' || (required !== true && dice.chance(0.7))) continue;
    query.append(
      name,
      isHit ? String(hostile(dice)) : (queryValue(name, pool, dice) ?? String(sample(schema, dice, name))),
    );
    if (isHit && dice.chance(0.2)) query.append(name, hostileText(dice));
  }
  if (isSpoilt && dice.chance(0.1)) query.append(hostileText(dice), hostileText(dice));
  const asked = query.toString();
  const body = bodyOf(operation, isSpoilt, pool, dice);
  return {
    operation: operation.id,
    method: operation.method,
    target: fillPath(operation.path, path) + (asked === '' ? '' : `?${asked}`),
    headers: headersOf(operation, pool, body !== undefined, isSpoilt, dice),
    body,
  };
}

function idFor(operation: Operation, pool: Pool, dice: Dice): string {
  const known = pool.ids.get(collectionOf(operation.path) ?? '') ?? [];
  if (known.length === 0 || dice.chance(0.1)) return anyId(pool, dice);
  return dice.pick(known);
}

/** A filter or cursor of the lists that names something there is. */
function queryValue(name: string, pool: Pool, dice: Dice): string | undefined {
  if (!/^(starting_after|ending_before|order|event|endpoint)$/.test(name)) return undefined;
  return anyId(pool, dice);
}

/** Of any kind, each kind as often. */
function anyId(pool: Pool, dice: Dice): string {
  return dice.pick([...dice.pick([...pool.ids.values()]), '1']);
}

function bodyOf(operation: Operation, isSpoilt: boolean, pool: Pool, dice: Dice): string | undefined {
  const { body, isBodyNeeded } = operation;
  if (body === undefined) return isSpoilt && dice.chance(0.2) ? JSON.stringify(hostile(dice)) : undefined;
  if (!isBodyNeeded && dice.chance(0.3)) return undefined;
  const valid = sample(body, dice);
  if (body.properties?.['id'] !== undefined) Object.assign(valid as object, { id: anyId(pool, dice) });
  if (!isSpoilt) return JSON.stringify(valid);
  let spoilt: unknown = valid;
  for (let times = 1 + dice.below(3); times > 0; times -= 1) spoilt = spoil(spoilt, dice);
  const text = JSON.stringify(spoilt) ?? '';
  return dice.chance(0.25) ? brokenText(text, dice) : text;
}

/** What is hardly JSON any more. */
function brokenText(text: string, dice: Dice): string {
  switch (dice.below(9)) {
    case 0:
      return text.slice(0, dice.below(text.length + 1));
    case 1:
      return `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    case 2:
      return `{"a":`.repeat(10_000);
    case 3:
      return text.replace('{', '{"__proto__":{"isAdmin":true},');
    case 4:
      return text.replace('{', '{"constructor":{"prototype":{"isAdmin":true}},');
    case 5:
      // The same field twice.
      return text.replace(/\{("[^"]+":)/, '{$1null,$1');
    case 6:
      return text.replace(
        /:\d+/,
        dice.pick([':1e2', ':1e400', ':-0', ':0x10', ':NaN', ':9007199254740993', ':.5', ':1.']),
      );
    case 7:
      return `\ufeff${text}`;
    default:
      return 'x'.repeat(dice.pick([1, 100, 300_000]));
  }
}

function headersOf(
  operation: Operation,
  pool: Pool,
  hasBody: boolean,
  isSpoilt: boolean,
  dice: Dice,
): Record<string, string> {
  const headers: Record<string, string> = {};
  const odd = isSpoilt && dice.chance(0.15);
  const key = odd ? dice.pick([...pool.badKeys, '']) : dice.pick(pool.keysOf[operation.id] ?? pool.keys);
  if (key !== '') headers['authorization'] = odd && dice.chance(0.3) ? `Basic ${btoa(`${key}:`)}` : `Bearer ${key}`;
  if (hasBody)
    headers['content-type'] =
      isSpoilt && dice.chance(0.1)
        ? dice.pick([
            'text/plain',
            'application/xml',
            'multipart/form-data',
            'application/json; charset=utf-16',
            'json',
            'a/b;c',
          ])
        : 'application/json';
  if (operation.method === 'POST' && dice.chance(0.3))
    headers['idempotency-key'] =
      isSpoilt && dice.chance(0.2) ? dice.pick([' ', 'x'.repeat(256), 'ü', '\t', "'"]) : `key-${dice.below(400)}`;
  if (isSpoilt && dice.chance(0.1)) {
    const [name, value] = dice.pick([
      ['traceparent', '00-zz-zz-01'],
      ['traceparent', `00-${'f'.repeat(32)}-${'f'.repeat(16)}-01`],
      ['x-forwarded-for', '127.0.0.1, ::1'],
      ['accept', 'application/xml;q=x'],
      ['accept-encoding', 'br;q=9, *'],
      ['accept-language', 'x'.repeat(4_000)],
      ['if-none-match', '*'],
      ['range', 'bytes=0-1,5-'],
      ['cookie', 'a=b; '.repeat(200)],
      ['x-http-method-override', 'DELETE'],
      ['content-encoding', 'gzip'],
      ['origin', 'https://elsewhere.example'],
    ] as const);
    headers[name] = value;
  }
  return headers;
}

/** What the document does not name. */
function strange(pool: Pool, dice: Dice): FuzzRequest {
  const id = anyId(pool, dice);
  const target = dice.pick([
    '/provider_callbacks/sandbox',
    `/provider_callbacks/${encodeURIComponent(hostileText(dice).toWellFormed().slice(0, 300).toWellFormed())}`,
    '/v1',
    '/v1/',
    '/v1//orders',
    `/v1/orders/${id}/`,
    `/v1/orders/${id}%00`,
    '/v1/orders/%ff%fe',
    '/v1/orders/%',
    '/v1/../v1/orders',
    '/v1/%2e%2e/livez',
    `/v1/${hostileText(dice).replaceAll(/[^!-~]/g, '')}`,
    '/docs/../../secrets.json',
    '/openapi.json?x=y',
    '/errors',
    '/livez',
    '/metrics',
    `/v1/products?${'a=b&'.repeat(500)}`,
    `/v1/products?limit=1&limit=2&limit[]=3&limit[__proto__]=4`,
    `/v1/products?limit=1000000000&starting_after=${'9'.repeat(40)}`,
  ]);
  const method = dice.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'REPORT']);
  const hasBody = method !== 'GET' && method !== 'HEAD' && dice.chance(0.7);
  return {
    operation: undefined,
    method,
    target,
    headers: {
      authorization: `Bearer ${dice.pick(pool.keys)}`,
      ...(hasBody ? { 'content-type': dice.pick(['application/json', 'text/plain']) } : {}),
      ...(dice.chance(0.3) ? { 'sandbox-signature': `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}` } : {}),
    },
    body: hasBody ? JSON.stringify(hostile(dice)) : undefined,
  };
}
