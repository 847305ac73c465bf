/** One name for a method: what the catalogue calls it, in every document of an order. */
import { readFileSync } from 'node:fs';
import { bankAccount, card } from '@tillstream/instrument/instrument';
import { instrumentFields, instrumentOf } from '@tillstream/instrument/wire';
import type { Order } from '@tillstream/proto/order/v1/order_api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { home } from '../src/app.ts';
import { bookedMessage, openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

async function placed(paymentMethod: string): Promise<Order> {
  const merchant = world.neighbours.addMerchant();
  const cart = await world.cartOf(world.neighbours.addProduct(merchant));
  const { orderId } = await world.place(cart, { paymentMethod });
  return world.get(merchant.id, orderId);
}
async function documentsOf({ merchantId, orderId }: Order) {
  const keys = [1n, 2n].map((version) => ({ merchantId, orderId, version }));
  const { documents } = await world.api.getOrderDocuments({ keys });
  return documents.map(({ order }) => [
    order?.paymentMethod,
    order?.paymentSystemName,
    order?.payment?.method,
    order?.payment?.systemName,
  ]);
}
const pageOf = async ({ orderId, token }: Order) =>
  (await world.api.openOrder({ orderId, token, refresh: false, withCodes: false })).order;

test('an order placed with a method and paid by it is called the same from its creation on', async () => {
  const order = await placed('BankTransfer');
  const account = bankAccount({ bankName: '', country: '', number: 'DE89370400440532013000' });
  const transfer = { method: 'BankTransfer', systemName: 'Bank Transfer', ...instrumentFields(account) };
  await world.hear(bookedMessage(world.neighbours.pay(order, transfer)));
  const paid = await world.until(order, (now) => now.status === 'paid');
  expect(await documentsOf(order)).toEqual([
    ['BankTransfer', 'Bank Transfer', undefined, undefined],
    ['BankTransfer', 'Bank Transfer', 'BankTransfer', 'Bank Transfer'],
  ]);
  // What it was paid with is in its history.
  expect(paid.payment && instrumentOf(paid.payment)).toEqual(account);
  expect(paid.payment).toMatchObject({ cardType: '', cardLast4: '', cardExpiration: '' });
});

test('an order placed with one method and paid by another shows what it was paid by', async () => {
  const order = await placed('BankTransfer');
  expect((await pageOf(order))?.shownMethod).toMatchObject({ code: 'BankTransfer', kind: 'transfer' });
  await world.hear(bookedMessage(world.neighbours.pay(order)));
  await world.until(order, (now) => now.status === 'paid');
  expect(await documentsOf(order)).toEqual([
    ['BankTransfer', 'Bank Transfer', undefined, undefined],
    ['BankTransfer', 'Bank Transfer', 'CreditCard', 'Bank Card'],
  ]);
  expect((await pageOf(order))?.shownMethod).toMatchObject({ code: 'CreditCard', kind: 'card', textKey: 'card' });
});

test('an order whose method is no longer offered is shown with the words of the catalogue', async () => {
  const own = await openWorld();
  try {
    const cart = await own.cartOf(own.neighbours.addProduct(own.neighbours.addMerchant()));
    const { orderId, token } = await own.place(cart, { paymentMethod: 'BankTransfer' });
    own.neighbours.methods = [];
    // As long as methods are kept.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const { order } = await own.api.openOrder({ orderId, token, refresh: false, withCodes: false });
    expect(order).toMatchObject({ paymentMethods: [], shownMethod: { code: 'BankTransfer', textKey: 'transfer' } });
  } finally {
    await own.close();
  }
});

test('orders that were stored with a card and without the name of their method are read as the others', async () => {
  const order = await placed('BankTransfer');
  await world.hear(bookedMessage(world.neighbours.pay(order)));
  await world.until(order, (now) => now.status === 'paid');
  const as = (text: string, values?: unknown[]) => world.own.admin.query(text, values);
  await as('set search_path = "order"');
  await as(`update purchase_order set placed = placed - 'paymentSystemName' where order_id = $1`, [order.orderId]);
  await as(
    `update order_history set data = jsonb_set(data, '{payment}', (data -> 'payment') - 'instrument'
       || '{"cardType": "Visa", "cardLast4": "4242", "cardExpiration": "12/2034"}')
     where order_id = $1 and type = 'orderPaid'`,
    [order.orderId],
  );
  const { payment, paymentSystemName } = await world.get(order.merchantId, order.orderId);
  expect(payment && instrumentOf(payment)).toEqual(card({ brand: 'Visa', last4: '4242', expiration: '12/2034' }));
  expect(paymentSystemName).toBe('');
  await as(readFileSync(new URL('0003_method_names.sql', home.migrations), 'utf8'));
  expect((await world.get(order.merchantId, order.orderId)).paymentSystemName).toBe('Bank Transfer');
});
