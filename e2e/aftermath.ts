/** What must be true of everything a crowd bought, once the bad day is over. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { expect } from 'vitest';
import type { Crowd } from './crowd.ts';
import type { Product } from './product.ts';
import { Shop, type List, type OrderAnswer } from './shop.ts';
import { until } from './until.ts';
import type { Receiver } from './webhooks.ts';

interface Entry {
  readonly what: string;
  readonly payment: string;
}

interface Letter {
  readonly to: readonly string[];
  readonly text: string;
  readonly message_id: string;
}

interface ListedOrder {
  readonly id: number;
  readonly customer: { readonly email: string };
}

interface WholeOrder extends OrderAnswer {
  readonly payments: readonly { readonly id: string; readonly status: string; readonly provider_payment_id: string }[];
}

export interface Figures {
  readonly orders: number;
  readonly paid: number;
  readonly troubles: number;
  /** Webhooks and mails that came a second time. */
  readonly repeatedWebhooks: number;
  readonly repeatedMails: number;
}

/** Waits for what is under way, then checks that nothing is missing and nothing is doubled. */
export async function expectAllWell(
  product: Product,
  shop: Shop,
  receiver: Receiver,
  crowd: Crowd,
  withinMs = 60_000,
): Promise<Figures> {
  // A customer who left looks at their order later; whoever never does is paid when the provider tells it.
  for (const { orderId, token } of crowd.placed) {
    const page = await request(`${product.checkout}/thanks/${orderId}/${token ?? ''}`);
    await page.body.dump();
  }
  const captured = new Set(
    (await journalOf(product)).filter((entry) => entry.what === 'capture').map((entry) => entry.payment),
  );
  const orders = (await listOrders(shop)).filter((order) => crowd.has(order.customer.email));
  const found = new Set(orders.map((order) => order.id));
  expect(
    crowd.placed.filter((each) => !found.has(each.orderId)),
    'orders that were lost',
  ).toEqual([]);
  const emails = orders.map((order) => order.customer.email);
  expect(new Set(emails).size, 'one order for each customer').toBe(emails.length);

  const paid: OrderAnswer[] = [];
  for (const { id } of orders) {
    const order: WholeOrder = await shop.must('GET', `/v1/orders/${id}`);
    const captures = order.payments.filter((payment) => captured.has(payment.provider_payment_id));
    expect(captures.length, `captures for ${id}`).toBeLessThanOrEqual(1);
    if (captures.length === 0) {
      expect([id, order.status]).toEqual([id, 'not paid']);
      await expectWebhooks(receiver, id, ['order.created'], withinMs);
      continue;
    }
    const delivered = await until(
      `delivery of ${id}`,
      async () => {
        const now = await shop.order(id);
        return now.status === 'paid' && now.fulfilment_status === 'delivered' ? now : undefined;
      },
      withinMs,
    );
    paid.push(delivered);
    expect([id, delivered.payments.filter((payment) => payment.status === 'booked').length]).toEqual([id, 1]);
    expect([id, delivered.items.flatMap((item) => item.licence_codes).length]).toEqual([id, 1]);
    await expectWebhooks(receiver, id, ['order.created', 'order.payment.succeeded', 'product.delivered'], withinMs);
  }
  const codes = paid.flatMap((order) => order.items.flatMap((item) => item.licence_codes));
  expect(new Set(codes).size, 'no licence twice').toBe(codes.length);
  const insistent = crowd.purchases.filter((each) => each.insists);
  expect(
    insistent.filter((each) => !each.isThrough),
    crowd.troubles.slice(-5).join('\n'),
  ).toEqual([]);

  return {
    orders: orders.length,
    paid: paid.length,
    troubles: crowd.troubles.length,
    repeatedWebhooks: repeatedOf(receiver, found),
    repeatedMails: await expectMails(product, paid, emailOf(orders), withinMs),
  };
}

/** In order, none missing; the same webhook may come again before the next one does (at least once). */
async function expectWebhooks(
  receiver: Receiver,
  orderId: number,
  events: readonly string[],
  withinMs: number,
): Promise<void> {
  await until(
    `webhooks of ${orderId}`,
    async () => new Set(receiver.ofOrder(orderId).map((each) => each.id)).size >= events.length,
    withinMs,
  );
  const heard = receiver.ofOrder(orderId);
  const onceEach = heard.filter((each, at) => heard[at - 1]?.id !== each.id);
  expect([orderId, onceEach.map((each) => each.body.event)]).toEqual([orderId, events]);
}

function repeatedOf(receiver: Receiver, orders: ReadonlySet<number>): number {
  const ids = receiver.received.filter((each) => orders.has(each.body.order_id)).map((each) => each.id);
  return ids.length - new Set(ids).size;
}

/** Two messages for each order; a crash may send one of them again, and its id is then the same. */
async function expectMails(
  product: Product,
  paid: readonly OrderAnswer[],
  emails: ReadonlyMap<number, string>,
  withinMs: number,
): Promise<number> {
  let repeated = 0;
  await until(
    'two mails for each order',
    async () => {
      const letters = await lettersOf(product);
      repeated = 0;
      for (const order of paid) {
        const ids = letters
          .filter((letter) => letter.to.includes(emails.get(order.id) ?? ''))
          .map((letter) => letter.message_id);
        const kinds = new Set(ids).size;
        if (kinds < 2) throw new Error(`${order.name} has ${kinds} of two mails`);
        expect([order.id, kinds]).toEqual([order.id, 2]);
        repeated += ids.length - kinds;
      }
      return true;
    },
    withinMs,
  );
  expect(repeated).toBeLessThanOrEqual(paid.length);
  return repeated;
}

const emailOf = (orders: readonly ListedOrder[]) => new Map(orders.map((order) => [order.id, order.customer.email]));

async function lettersOf(product: Product): Promise<readonly Letter[]> {
  const response = await request(`${product.mail}/api/messages`);
  const letters: Letter[] = JSON.parse(await response.body.text());
  return letters;
}

async function journalOf(product: Product): Promise<readonly Entry[]> {
  const secrets: { sandboxSecret: string } = JSON.parse(readFileSync(join(product.data, 'secrets.json'), 'utf8'));
  const response = await request(`http://127.0.0.1:${product.portBase + 4}/v1/journal`, {
    headers: { authorization: `Bearer ${secrets.sandboxSecret}` },
  });
  const journal: { data: readonly Entry[] } = JSON.parse(await response.body.text());
  return journal.data;
}

async function listOrders(shop: Shop): Promise<readonly ListedOrder[]> {
  const all: ListedOrder[] = [];
  for (let after = ''; ;) {
    const page: List<ListedOrder> = await shop.must('GET', `/v1/orders?limit=100${after}`);
    all.push(...page.data);
    if (!page.has_more) return all;
    after = `&starting_after=${page.data.at(-1)?.id ?? ''}`;
  }
}
