/**
 * A request with an Idempotency-Key whose answer was never stored (its process died, or the database was away) is worked on
 * once more when it comes again: every POST of the API then answers as before and does nothing more. A new POST fails
 * here until it is tried as well.
 */
import { OrderApiService } from '@tillstream/proto/order/v1/order_api';
import { makeClient } from '@tillstream/rpc/client';
import { hostileReceiver, type HostileReceiver } from '@tillstream/testkit/receiver';
import { eventually } from '@tillstream/testkit/eventually';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShopAndBuy, placeOrder, startRunning, type Bought, type Running } from './running.ts';

interface Body {
  readonly id: string;
  readonly data: readonly Body[];
  readonly [name: string]: unknown;
}

let running: Running;
let receiver: HostileReceiver;
let bought: Bought;

beforeAll(async () => {
  receiver = await hostileReceiver();
  running = await startRunning();
  bought = await openShopAndBuy(running.product, 'Echo', receiver);
});
afterAll(async () => {
  await running.stop();
  await receiver.stop();
});

/** What belongs to a POST: where, with what, and what of the answer is another each time. */
interface Tried {
  readonly path: string;
  readonly body?: object;
  readonly varies?: readonly string[];
}

// In the order of a life: what is undone or deleted was there before.
const posts: Readonly<Record<string, () => Tried | Promise<Tried>>> = {
  '/v1/api_keys': () => ({ path: '/v1/api_keys', body: { name: 'a second one' } }),
  '/v1/products': () => ({
    path: '/v1/products',
    body: { name: 'Inkwell', prices: [{ amount: 100, currency: 'EUR' }], delivery: { method: 'pool' } },
  }),
  '/v1/products/{id}/licence_codes': () => ({
    path: `/v1/products/${bought.productId}/licence_codes`,
    body: { codes: ['ONE', 'TWO', 'ONE'] },
  }),
  '/v1/orders/{id}/resend_licences': () => ({ path: `/v1/orders/${bought.orderId}/resend_licences`, body: {} }),
  '/v1/payments/{id}/withdraw': async () => {
    const { orderId, token } = await placeOrder(running.product, bought);
    const orders = makeClient(OrderApiService, running.product.channel('order'));
    await orders.beginPayment({ orderId, token, paymentMethod: 'CreditCard' });
    const [payment] = await listed(`/v1/payments?order=${orderId}`);
    return { path: `/v1/payments/${payment?.id}/withdraw` };
  },
  '/v1/orders/{id}/delete': async () => {
    const { orderId } = await placeOrder(running.product, bought);
    return { path: `/v1/orders/${orderId}/delete` };
  },
  '/v1/subscriptions/{id}/cancel': async () => ({ path: `/v1/subscriptions/${await subscription()}/cancel` }),
  '/v1/subscriptions/{id}/restore': async () => ({ path: `/v1/subscriptions/${await subscription()}/restore` }),
  '/v1/subscriptions/modify_activity': async () => ({
    path: '/v1/subscriptions/modify_activity',
    body: { id: await subscription(), activity: false },
  }),
  '/v1/webhook_endpoints': () => ({ path: '/v1/webhook_endpoints', body: { url: `${receiver.url}/second` } }),
  '/v1/webhook_endpoints/{id}/rotate_secret': () => ({
    path: `/v1/webhook_endpoints/${bought.endpointId}/rotate_secret`,
    body: {},
  }),
  '/v1/webhook_endpoints/{id}/enable': () => ({ path: `/v1/webhook_endpoints/${bought.endpointId}/enable` }),
  // Two that only make a receiver hear something once more, under the same ids.
  '/v1/webhook_endpoints/{id}/ping': () => ({
    path: `/v1/webhook_endpoints/${bought.endpointId}/ping`,
    varies: ['duration_ms'],
  }),
  '/v1/webhook_deliveries/{id}/resend': async () => {
    const [delivery] = await listed(`/v1/webhook_deliveries?endpoint=${bought.endpointId}`);
    return { path: `/v1/webhook_deliveries/${delivery?.id}/resend`, varies: ['attempts', 'status', 'next_attempt_at'] };
  },
  '/v1/test_clock/advance': () => ({ path: '/v1/test_clock/advance', body: { by: 'P1D' }, varies: ['now'] }),
  '/v1/test_clock/reset': () => ({ path: '/v1/test_clock/reset', body: {}, varies: ['now'] }),
};

test.each(Object.keys(posts))('%s', async (route) => {
  const { path, body, varies = [] } = (await posts[route]?.()) ?? { path: '' };
  const key = `key of ${route}`;
  const first = await call('POST', path, body, key);
  expect([200, 201], JSON.stringify(first.body)).toContain(first.status);
  await forgetAnswer(key);
  const before = await everything();
  const second = await call('POST', path, body, key);
  const changing = Object.fromEntries(varies.map((name) => [name, undefined]));
  expect(second.replayed).toBe(false);
  expect({ ...second.body, ...changing }).toEqual({ ...first.body, ...changing });
  expect(second.status).toBe(first.status);
  expect(await everything()).toEqual(before);
});

test('are all POSTs that the API has', async () => {
  const document = (await call('GET', '/openapi.json')).body;
  const paths = Object.entries(document['paths'] ?? {}).flatMap(([path, methods]) =>
    Object.keys(methods).includes('post') ? [path] : [],
  );
  expect(Object.keys(posts).toSorted()).toEqual(paths.toSorted());
});

/** As after a crash between the work and the memory of it. */
async function forgetAnswer(key: string): Promise<void> {
  const { rowCount } = await running.database.admin.query(
    `update gateway.answer set status = null, content_type = null, body = null, locked_until = now() - interval '1 second'
     where idempotency_key = $1`,
    [key],
  );
  expect(rowCount).toBe(1);
}

/** How many of each thing there are that a request makes. */
async function everything(): Promise<unknown> {
  const count = (from: string) => `(select count(*)::int from ${from})`;
  const read = async () => {
    const { rows } = await running.database.admin.query(
      `select ${count('merchant.api_key')} as keys, ${count('merchant.product')} as products, ${count('fulfillment.pool_code')} as codes,
         ${count('webhook.endpoint')} as endpoints, ${count('notification.mail')} as mails, ${count('"order".order_history')} as orders,
         ${count('payment.payment_history')} as payments, ${count('subscription.subscription_history')} as subscriptions,
         ${count('webhook.event')} as events, ${count('merchant.clock_advance')} as advances`,
    );
    return rows[0];
  };
  // What follows from the request comes by messages: until nothing has for a while.
  let [last, quiet] = [JSON.stringify(await read()), 0];
  await eventually(async () => {
    const now = JSON.stringify(await read());
    [quiet, last] = [now === last ? quiet + 1 : 0, now];
    return quiet > 10;
  }, 30_000);
  return JSON.parse(last);
}

async function subscription(): Promise<string> {
  return (await listed(`/v1/subscriptions?order=${bought.orderId}`))[0]?.id ?? '';
}

async function listed(path: string): Promise<readonly Body[]> {
  return eventually(async () => {
    const { data } = (await call('GET', path)).body;
    return data.length > 0 ? data : undefined;
  });
}

async function call(
  method: 'GET' | 'POST',
  path: string,
  body?: object,
  key?: string,
): Promise<{ status: number; body: Body; replayed: boolean }> {
  const answer = await request(`${running.places.gateway}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${bought.apiKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parsed = (await answer.body.json()) as Body;
  return { status: answer.statusCode, body: parsed, replayed: answer.headers['idempotent-replayed'] === 'true' };
}
