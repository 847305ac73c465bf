/** The same thing asked for many times at once: at the gateway with and without a key, and at the customer's form. */
import { checkoutApp, settings as checkoutSettings } from '@tillstream/checkout/app';
import { clientsOver, gatewayApp, home as gatewayHome, settings, type GatewayTables } from '@tillstream/gateway/app';
import { home as merchantHome } from '@tillstream/merchant/app';
import { home as orderHome } from '@tillstream/order/app';
import { OrderApiService, type Cart } from '@tillstream/proto/order/v1/order_api';
import { quietLog } from '@tillstream/testkit/log';
import { request } from 'undici';
import { fillCart, openOrders } from './orders.ts';
import { complaints, type Race } from './race.ts';
import { alternate, openStage, vaultKeys } from './stage.ts';

const many = '1000000';
const toPay = /^\/pay\/\d+\/[0-9a-f]{32}$/;

export const submitWithKey: Race = {
  name: 'submit-with-key',
  holds:
    'Requests with one key make one thing and get one answer, to the byte; requests without a key make one thing each.',
  async open(contenders) {
    const stage = await openStage(gatewayHome, merchantHome, orderHome);
    const shop = await openOrders(stage);
    const config = settings.parse({
      CHECKOUT_URL: 'http://127.0.0.1:4001',
      VAULT_KEYS: vaultKeys,
      WRITES_PER_SECOND: many,
    });
    const open = (nth: number) =>
      stage.listen(
        gatewayApp({
          database: stage.open<GatewayTables>(gatewayHome),
          clients: clientsOver(() => alternate(shop.merchants, nth).channel),
          log: quietLog(),
          config,
        }),
      );
    const gateways = [await open(0), await open(1)] as const;
    const keyless = Math.floor(contenders / 4);
    return {
      async round(nth) {
        const name = `Product ${nth}`;
        const post = async (at: number, key?: string) => {
          const answer = await request(`${alternate(gateways, at)}/v1/products`, {
            method: 'POST',
            headers: {
              authorization: `Bearer ${shop.apiKey}`,
              'content-type': 'application/json',
              ...(key === undefined ? {} : { 'idempotency-key': key }),
            },
            body: JSON.stringify({ name, prices: [{ amount: 10_000, currency: 'EUR' }], delivery: { method: 'pool' } }),
          });
          return { isKeyed: key !== undefined, status: answer.statusCode, body: await answer.body.text() };
        };
        const posting = Array.from({ length: contenders }, (_, at) => {
          const key = at < keyless ? undefined : `key ${nth}`;
          return () => post(at, key);
        });
        return {
          contenders: posting,
          async check(outcomes) {
            const answers = outcomes.flatMap((each) =>
              each.status === 'fulfilled' ? [each.value as Awaited<ReturnType<typeof post>>] : [],
            );
            const later = await post(nth, `key ${nth}`);
            const made = answers.filter(({ isKeyed, status }) => isKeyed && status === 201);
            const refused = answers.filter(({ status }) => status === 409);
            const bodies = new Set([...made, later].map(({ body }) => body));
            const [{ count } = { count: 0 }] = await stage.rows<{ count: number }>(
              'select count(*)::int as count from merchant.product where name = $1',
              [name],
            );
            const wrong = complaints(
              [later.status === 201, `the key's answer is ${later.status} afterwards`],
              [bodies.size === 1, `one key has ${bodies.size} answers`],
              [
                answers.filter((each) => !each.isKeyed && each.status === 201).length === keyless,
                'keyless were refused',
              ],
              [made.length + refused.length + keyless === contenders, 'an answer is neither made nor in flight'],
              [count === 1 + keyless, `${1 + keyless} products should have been made, ${count} were`],
            );
            return {
              ended: `${made.length > 1 ? 'some' : 'none'} replayed, ${refused.length > 0 ? 'some' : 'none'} in flight`,
              wrong,
            };
          },
        };
      },
      close: () => stage.close(),
    };
  },
};

export const submitForm: Race = {
  name: 'submit-form',
  holds:
    'A cart becomes one order, however often its form is sent; every sender is led to it. Another cart is another order.',
  async open(contenders) {
    const stage = await openStage(orderHome, merchantHome);
    const shop = await openOrders(stage);
    const product = await shop.product();
    const config = checkoutSettings.parse({ CHECKOUT_URL: 'http://127.0.0.1:4001', POSTS_PER_TEN_SECONDS: '0' });
    const open = (nth: number) => {
      const order = alternate(shop.services, nth).client(OrderApiService);
      return stage.listen(checkoutApp({ clients: { order }, log: quietLog(), config }));
    };
    const checkouts = [await open(0), await open(1)] as const;
    const others = 2;
    return {
      async round() {
        const carts = await Promise.all(Array.from({ length: 1 + others }, () => fillCart(shop, product)));
        const [first] = carts;
        if (first === undefined) throw new Error('there is no cart');
        const senders = [...Array.from({ length: contenders - others }, () => first), ...carts.slice(1)];
        return {
          contenders: senders.map((cart, at) => () => sendForm(alternate(checkouts, at), cart)),
          async check(outcomes) {
            const places = outcomes.map((each) => (each.status === 'fulfilled' ? String(each.value) : 'failed'));
            const led = places.slice(0, contenders - others);
            const found = await stage.rows<OrderRow>(ordersSql, [carts.map(({ id }) => id)]);
            const wrong = complaints(
              [
                led.every((place) => toPay.test(place)),
                `a sender was led to ${led.find((place) => !toPay.test(place))}`,
              ],
              [new Set(led).size === 1, 'senders were led to different orders'],
              [found.length === 1 + others, `${1 + others} carts became ${found.length} orders`],
              [
                found.every((row) => row.created === 1 && row.said === 1 && row.timers === 1),
                'an order was made or said twice',
              ],
            );
            return { ended: `${found.length} orders`, wrong };
          },
        };
      },
      close: () => stage.close(),
    };
  },
};

async function sendForm(checkout: string, cart: Cart): Promise<string> {
  const form = {
    cart_version: String(cart.version),
    total_minor: String(cart.totalMinor),
    email: 'jane@customer.example',
    first_name: 'Jane',
    last_name: 'Doe',
    country: 'DE',
    payment_method: 'CreditCard',
    terms_accepted: 'on',
    privacy_accepted: 'on',
    action: 'place',
  };
  const answer = await request(`${checkout}/checkout/${cart.id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
  await answer.body.dump();
  return answer.statusCode === 303 ? String(answer.headers['location']) : `a page of ${answer.statusCode}`;
}

interface OrderRow {
  readonly created: number;
  readonly said: number;
  readonly timers: number;
}

// Every order that was made since the carts were filled is one of theirs: nobody else buys here.
const ordersSql = `
  select o.order_id,
    (select count(*)::int from "order".order_history h where h.order_id = o.order_id and h.type = 'orderCreated') as created,
    (select count(*)::int from "order".outbox b where b.key = o.order_id::text) as said,
    (select count(*)::int from "order".timer t where t.aggregate_id = o.order_id::text) as timers
  from "order".purchase_order o
  where o.order_id >= (select min(order_id) from "order".cart where cart_id = any ($1::text[]))`;
