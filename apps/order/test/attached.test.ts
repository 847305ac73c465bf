/** What a checkout link attaches to an order: from the cart to everywhere it goes out. */
import type { Order } from '@tillstream/proto/order/v1/order_api';
import { expectTenantIsolation } from '@tillstream/testkit/tenants';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const aProduct = () => world.neighbours.addProduct(world.neighbours.addMerchant());
const listed = async (merchantId: string, externalId: string): Promise<readonly bigint[]> => {
  const filter = { startingAfter: 0n, endingBefore: 0n, status: '', fulfilmentStatus: '', customerEmail: '' };
  const { orders } = await world.api.listOrders({ merchantId, limit: 10, externalId, ...filter });
  return orders.map((order) => order.orderId);
};
const documentOf = async ({ merchantId, orderId }: Order) => {
  const { documents } = await world.api.getOrderDocuments({ keys: [{ merchantId, orderId, version: 1n }] });
  return documents[0]?.order;
};

describe('what a link attaches', () => {
  test('is in the order, its documents and its timeline, and finds the order', async () => {
    const product = aProduct();
    const additionalData = [
      { name: 'referer2', value: 'test' },
      { name: 'referer3', value: ' a "b" & ü ' },
    ];
    const attached = { externalId: 'TEST 12025/ü', additionalData };
    const { orderId } = await world.place(await world.cartOf(product, attached));
    const { orderId: other } = await world.place(await world.cartOf(product, { externalId: 'TEST 12025/u' }));
    const { orderId: none } = await world.place(await world.cartOf(product));
    const order = await world.get(product.merchantId, orderId);
    expect(order).toMatchObject(attached);
    expect(await documentOf(order)).toMatchObject(attached);
    expect(await world.get(product.merchantId, none)).toMatchObject({ externalId: '', additionalData: [] });
    expect(await listed(product.merchantId, 'TEST 12025/ü')).toEqual([orderId]);
    expect(await listed(product.merchantId, 'test 12025/ü')).toEqual([]);
    expect(await listed(product.merchantId, '')).toEqual([none, other, orderId]);
    const { entries } = await world.timeline.readTimeline({ merchantId: product.merchantId, orderId });
    expect(entries[0]?.summary).toContain('TEST 12025/ü');
  });

  test('is joined over the links that fill one cart, and stays when the cart is changed', async () => {
    const product = aProduct();
    const first = await world.cartOf(product, {
      externalId: 'one',
      additionalData: [
        { name: 'a', value: '1' },
        { name: 'b', value: '2' },
      ],
    });
    await world.cartOf(product, { cartId: first.id, additionalData: [{ name: 'a', value: '3' }] });
    await world.cartOf(product, { cartId: first.id, externalId: 'two' });
    const changes = [{ productId: product.id, quantity: 1 }];
    const { cart } = await world.api.changeCart({ cartId: first.id, changes, currency: '' });
    if (cart === undefined) throw new Error('no cart');
    const { orderId } = await world.place(cart);
    expect(await world.get(product.merchantId, orderId)).toMatchObject({
      externalId: 'two',
      additionalData: [
        { name: 'a', value: '3' },
        { name: 'b', value: '2' },
      ],
    });
  });

  test('goes with what it came with when a link empties the cart', async () => {
    const product = aProduct();
    const first = await world.cartOf(product, { externalId: 'one', additionalData: [{ name: 'a', value: '1' }] });
    const cleared = await world.cartOf(product, { cartId: first.id, clear: true });
    const { orderId } = await world.place(cleared);
    expect(await world.get(product.merchantId, orderId)).toMatchObject({ externalId: '', additionalData: [] });
  });

  test('is refused when it is not allowed, and changes nothing', async () => {
    const product = aProduct();
    const data = (count: number, from = 0) =>
      Array.from({ length: count }, (_, index) => ({ name: `n${from + index}`, value: '' }));
    const cart = await world.cartOf(product, { additionalData: data(15) });
    const further = { cartId: cart.id, quantity: 3 };
    await expect(world.cartOf(product, { ...further, externalId: 'x'.repeat(256) })).rejects.toMatchObject({
      code: 'invalid_field',
      param: 'external_id',
    });
    await expect(
      world.cartOf(product, { ...further, additionalData: [{ name: 'a', value: '4242424242424242' }] }),
    ).rejects.toMatchObject({ code: 'card_number_refused', param: 'additional_data.a' });
    await expect(world.cartOf(product, { ...further, additionalData: [...data(1), ...data(1)] })).rejects.toMatchObject(
      {
        code: 'invalid_field',
        param: 'additional_data',
      },
    );
    // Fifteen and six are each allowed; together they are too many.
    await expect(world.cartOf(product, { ...further, additionalData: data(6, 15) })).rejects.toMatchObject({
      code: 'invalid_field',
      param: 'additional_data',
    });
    expect((await world.api.getCart({ cartId: cart.id })).cart).toEqual(cart);
  });
});

test('an external id finds no order of another merchant', async () => {
  const [mine, theirs] = [aProduct(), aProduct()];
  for (const product of [mine, theirs]) await world.place(await world.cartOf(product, { externalId: 'SHARED' }));
  expect(await listed(mine.merchantId, 'SHARED')).toHaveLength(1);
  await expectTenantIsolation(world.database);
});
