/**
 * What belongs to another merchant is not found behind the edges either: every method of every proto file, asked by one
 * merchant with the ids of another. A new method is covered by being in its file; one whose request cannot be filled
 * fails here with a sentence.
 */
import { servicesWithClock, servicesWithTimeline } from '@tillstream/service/manifest';
import { publicId } from '@tillstream/database/public-id';
import { makeClient } from '@tillstream/rpc/client';
import { Refused } from '@tillstream/rpc/refusals';
import { hostileReceiver, type HostileReceiver } from '@tillstream/testkit/receiver';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { camel, readModules, type Field, type RpcMethod, type RpcModule } from './methods.ts';
import { openShopAndBuy, startRunning, type Bought, type Running } from './running.ts';

type Call = (request: object) => Promise<object>;

/** Who asks for whose. */
interface Asker {
  readonly merchantId: string;
  readonly token: string;
  /** By the name of the field. */
  readonly ids: Readonly<Record<string, unknown>>;
}

/** Who answers; several where each service answers for itself. */
const targets: Readonly<Record<string, readonly Parameters<Running['product']['channel']>[0][]>> = {
  MerchantApi: ['merchant'],
  TestClockApi: ['merchant'],
  OrderApi: ['order'],
  PaymentApi: ['payment'],
  FulfillmentApi: ['fulfillment'],
  SubscriptionApi: ['subscription'],
  WebhookApi: ['webhook-dispatcher'],
  TimelineApi: servicesWithTimeline,
  ClockApi: servicesWithClock,
};

/** Without a merchant's id in the request, and why that is right. */
const withoutMerchant: Readonly<Record<string, string>> = {
  'MerchantApi.CreateAccount': 'opens an account',
  'MerchantApi.Authenticate': 'the key says whose it is',
  'MerchantApi.GetMerchants': 'asked by services for the shops of what they have in hand',
  'MerchantApi.FindProduct': 'the id in a checkout link is all a customer has, and is public',
  'OrderApi.AddToCart': 'a product from a public link, a cart of one’s own',
  'OrderApi.GetCart': 'whoever has the cart’s id has the cart',
  'OrderApi.ChangeCart': 'as above',
  'OrderApi.PlaceOrder': 'as above',
  'OrderApi.BeginPayment': 'whoever has the order’s token has the order',
  'OrderApi.OpenOrder': 'as above',
  'OrderApi.ChangeSubscription': 'as above',
  'PaymentApi.ReceiveCallback': 'the signature says whose it is',
  'PaymentApi.ListMethods': 'the same for everybody',
};

/** Makes something of the asker's own, whatever the ids are: only the rows of the other are looked at. */
const makes = /^(Create|Add|Update(?=Merchant$)|SetClock|BeginAdvance|ResetTestClock)/;
const reads = /^(Get|List|Read|Refresh)/;

/** Values that are not ids. */
const words: Readonly<Record<string, unknown>> = {
  currency: 'EUR',
  method: 'CreditCard',
  payment_method: 'CreditCard',
  by: 'merchant',
  action: 'cancel',
  scopes: ['read'],
  url: 'https://hooks.shop.example/',
  name: 'Made by Bob',
  business_segment: 'b2c',
  return_url: 'https://shop.example/',
  amount_minor: 100n,
  currencies: ['EUR'],
  codes: ['A-CODE-OF-BOB'],
  limit: 100,
  quantity: 1,
  total_minor: 10_000n,
  cart_version: 1,
  low_water_mark: 0,
  min_quantity: 1,
  commission_bp: 1,
  since_sequence: 0n,
  sequence: 1n,
};

let running: Running;
let modules: readonly RpcModule[];
let receiver: HostileReceiver;
let ada: Bought;
let bob: Bought;
let asAda: Asker;
/** Bob asks for what is Ada's, and for what nobody has. */
let forAdas: Asker;
let forNobodys: Asker;

beforeAll(async () => {
  running = await startRunning();
  modules = await readModules();
  receiver = await hostileReceiver();
  ada = await openShopAndBuy(running.product, 'Ada', receiver);
  bob = await openShopAndBuy(running.product, 'Bob', receiver);
  const one = async (text: string, merchant = ada.merchantId) =>
    Object.values((await running.database.admin.query(text, [merchant])).rows[0] ?? {})[0] as string | undefined;
  const payment = await one('select payment_id from payment.payment where merchant_id = $1');
  const key = await one('select api_key_id from merchant.api_key where merchant_id = $1');
  const subscription = await one('select subscription_id from subscription.subscription where merchant_id = $1');
  const delivery = await one('select id from webhook.delivery where merchant_id = $1');
  const ids = {
    order_id: ada.orderId,
    product_id: ada.productId,
    product_ids: [ada.productId],
    payment_id: isPublic(payment) ? payment : publicId('pay', payment ?? ''),
    subscription_id: subscription,
    api_key_id: isPublic(key) ? key : publicId('key', key ?? ''),
    endpoint_id: ada.endpointId,
    event_id: publicId('evt', (await one('select id from webhook.event where merchant_id = $1')) ?? ''),
    delivery_id: publicId('whd', delivery ?? ''),
    cart_id: ada.cartId,
  };
  const spoilt = Object.entries(ids).map(([name, id]) => [name, nobodys(id)] as const);
  asAda = { merchantId: ada.merchantId, token: ada.token, ids };
  forAdas = { merchantId: bob.merchantId, token: bob.token, ids };
  forNobodys = { ...forAdas, ids: Object.fromEntries(spoilt) };
}, 240_000);

afterAll(async () => {
  await running.stop();
  await receiver.stop();
});

describe('every rpc method', () => {
  test('has a target, and names a merchant or a reason why not', () => {
    const known = modules.flatMap(({ service, methods }) => methods.map(({ name }) => `${service}.${name}`));
    expect(known.length).toBeGreaterThan(50);
    expect(Object.keys(withoutMerchant).filter((name) => !known.includes(name))).toEqual([]);
    for (const module of modules) {
      expect(targets[module.service], `${module.service}: say in targets who answers it`).toBeDefined();
      for (const method of module.methods) {
        const isNamed = namesMerchant(module, method.fields);
        const name = `${module.service}.${method.name}`;
        expect(isNamed || name in withoutMerchant, `${name} names no merchant: say in withoutMerchant why`).toBe(true);
      }
    }
  });

  test('finds its own: the ids were real', async () => {
    for (const { name, method, call, module } of asked())
      if (reads.test(method.name) && !(name in withoutMerchant)) {
        const answer = await told(call(fill(module, method.fields, asAda)));
        expect(answer, `${name} does not find Ada’s own`).not.toMatch(/_not_found|invalid/);
      }
  });

  test('finds nothing of another merchant’s and changes nothing', async () => {
    const before = await quiet();
    // Those that make something come last: Bob may well have codes of his own for a number that is Ada's product.
    const inTurn = [...asked()].toSorted(
      (a, b) => Number(makes.test(a.method.name)) - Number(makes.test(b.method.name)),
    );
    for (const { name, method, call, module } of inTurn) {
      if (name in withoutMerchant) continue;
      const answer = await told(call(fill(module, method.fields, forAdas)));
      for (const word of [ada.code, ada.token, 'Quill of Ada'])
        expect(answer.includes(word), `${name} tells ${word}`).toBe(false);
      if (makes.test(method.name)) continue;
      const nothing = await told(call(fill(module, method.fields, forNobodys)));
      const [seen, wanted] = [withoutIds(answer, forAdas), withoutIds(nothing, forNobodys)];
      expect(seen, `${name} answers otherwise for what is another’s than for what is nobody’s`).toBe(wanted);
      if (!reads.test(method.name)) expect(answer, name).toMatch(/_not_found/);
    }
    expect(await prints()).toEqual(before);
  });

  test('opens no order with the token of another, and no cart by a guess', async () => {
    const before = await quiet();
    let tried = 0;
    for (const { name, method, call, module } of asked()) {
      const names = method.fields.map((field) => field.name);
      if (!names.includes('token') && !(names.includes('cart_id') && !names.includes('product_id'))) continue;
      const asker = names.includes('token') ? forAdas : forNobodys;
      expect(await told(call(fill(module, method.fields, asker))), name).toMatch(/_not_found/);
      tried += 1;
    }
    expect(tried).toBeGreaterThanOrEqual(6);
    expect(await prints()).toEqual(before);
  });
});

function* asked(): Generator<{ name: string; module: RpcModule; method: RpcMethod; call: Call }> {
  for (const module of modules) {
    for (const target of targets[module.service] ?? []) {
      const channel = running.product.channel(target);
      const client = makeClient(module.definition, channel, { deadlineMs: 20_000 }) as Record<string, Call>;
      for (const method of module.methods) {
        const call = client[`${method.name[0]?.toLowerCase() ?? ''}${method.name.slice(1)}`];
        if (call === undefined) throw new Error(`no ${method.name} in the generated ${module.service}`);
        const name = `${module.service}.${method.name}`;
        yield { name, module, method, call };
      }
    }
  }
}

function namesMerchant(module: RpcModule, fields: readonly Field[]): boolean {
  return fields.some(
    ({ name, type }) => name === 'merchant_id' || namesMerchant(module, module.messages.get(type) ?? []),
  );
}

/** The request with the ids of the one and in the name of the other. */
function fill(module: RpcModule, fields: readonly Field[], asker: Asker): object {
  return Object.fromEntries(fields.map((field) => [camel(field.name), valueOf(module, field, asker)]));
}

function valueOf(module: RpcModule, field: Field, asker: Asker): unknown {
  const { name, type, isRepeated, isOptional } = field;
  if (name === 'merchant_id') return asker.merchantId;
  if (name === 'token') return asker.token;
  if (name in asker.ids) return asker.ids[name];
  const message = module.messages.get(type);
  if (message !== undefined && isRepeated && namesMerchant(module, message)) return [fill(module, message, asker)];
  if (/(^|_)ids?$/.test(name) && !/^(request_id|external_id)$/.test(name))
    throw new Error(`${module.service} asks for ${name}: teach this test an id of that kind`);
  if (isOptional) return undefined;
  if (name in words) return words[name];
  if (isRepeated) return [];
  if (type.startsWith('map<')) return {};
  if (message !== undefined) return name === 'page' ? { limit: 100, startingAfter: '', endingBefore: '' } : undefined;
  switch (type) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int64':
      return 0n;
    case 'int32':
      return 0;
    case 'bytes':
      return Buffer.alloc(0);
    case 'google.protobuf.Timestamp':
      return undefined;
    default:
      throw new Error(`${module.service} asks for ${name} of the type ${type}: teach this test to fill it`);
  }
}

/** An answer or a refusal as text. */
async function told(answer: Promise<object>): Promise<string> {
  try {
    return JSON.stringify(await answer, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  } catch (error) {
    if (error instanceof Refused && error.code !== 'internal' && error.code !== 'unavailable')
      return `${error.code} ${error.param ?? ''} ${error.message}`;
    throw error;
  }
}

function withoutIds(text: string, { ids }: Asker): string {
  const shown = Object.values(ids)
    .flat()
    .map(String)
    .toSorted((a, b) => b.length - a.length);
  const bare = shown.reduce((left, id) => left.replaceAll(id, '<id>'), text);
  // Between the two calls time went on.
  return bare.replaceAll(/"now":"[^"]*"/g, '"now":""');
}

function nobodys(id: unknown): unknown {
  if (Array.isArray(id)) return id.map(nobodys);
  if (typeof id === 'bigint') return 999_999_999n;
  const text = String(id);
  if (/^[\d_]+$/.test(text)) return text.replaceAll(/\d/g, '9');
  return text.endsWith('000') ? text.replace(/000$/, '111') : text.replace(/...$/, '000');
}

function isPublic(id: string | undefined): boolean {
  return id !== undefined && /^[a-z]+_/.test(id);
}

/** A hash of what each table has of Ada. */
async function prints(): Promise<Readonly<Record<string, string>>> {
  const { query } = running.database.admin;
  const ask = query.bind(running.database.admin);
  const { rows: tables } = await ask(
    `select c.oid::regclass::text as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'merchant_id'
      where c.relkind = 'r' and c.relnamespace::regnamespace::text not like 'pg%' order by 1`,
  );
  const found: Record<string, string> = {};
  for (const { name } of tables) {
    const { rows } = await ask(
      `select coalesce(md5(string_agg(line, ',' order by line)), '') as print
         from (select (to_jsonb(t) - 'last_used_at')::text as line from ${name} t where merchant_id = $1) lines`,
      [ada.merchantId],
    );
    found[name] = rows[0].print;
  }
  return found;
}

async function quiet(): Promise<Readonly<Record<string, string>>> {
  let before = await prints();
  for (let tries = 0; tries < 60; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const now = await prints();
    if (JSON.stringify(now) === JSON.stringify(before)) return now;
    before = now;
  }
  throw new Error('the rows of Ada do not come to rest');
}
