import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Carts } from '../src/outbound/carts.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

describe('a checkout link', () => {
  test('makes a cart with the product’s minimum, priced by the catalogue', async () => {
    const merchant = world.neighbours.addMerchant();
    const product = world.neighbours.addProduct(merchant, { minQuantity: 3, name: 'Quill' });
    const cart = await world.cartOf(product);
    expect(cart).toMatchObject({
      merchantId: merchant.id,
      shopName: 'Quill & Söhne',
      currency: 'EUR',
      totalMinor: 30_000n,
      orderId: 0n,
      currencies: ['EUR'],
    });
    expect(cart.id).toMatch(/^[0-9a-f]{32}$/);
    expect(cart.lines).toMatchObject([
      {
        productId: product.id,
        name: 'Quill',
        quantity: 3,
        minQuantity: 3,
        maxQuantity: 10_000,
        priceMinor: 10_000n,
        amountMinor: 30_000n,
      },
    ]);
    world.neighbours.changeProduct(product.id, { prices: [{ currency: 'EUR', amountMinor: 5_000n }] });
    expect((await world.api.getCart({ cartId: cart.id })).cart?.totalMinor).toBe(15_000n);
  });

  test('adds to the same cart, adds up the same product, and empties it first when asked to', async () => {
    const merchant = world.neighbours.addMerchant();
    const [one, two] = [world.neighbours.addProduct(merchant), world.neighbours.addProduct(merchant)];
    const first = await world.cartOf(one);
    const second = await world.cartOf(two, { cartId: first.id, quantity: 2 });
    const third = await world.cartOf(one, { cartId: first.id, quantity: 4 });
    expect(new Set([first.id, second.id, third.id]).size).toBe(1);
    expect(third.version).toBeGreaterThan(second.version);
    expect(third.lines.map((line) => [line.productId, line.quantity])).toEqual([
      [one.id, 5],
      [two.id, 2],
    ]);
    const cleared = await world.cartOf(two, { cartId: first.id, clear: true });
    expect(cleared.lines.map((line) => [line.productId, line.quantity])).toEqual([[two.id, 1]]);
  });

  test('of another merchant, or of the other mode, begins a new cart and leaves the old one alone', async () => {
    const mine = world.neighbours.addProduct(world.neighbours.addMerchant());
    const theirs = world.neighbours.addProduct(world.neighbours.addMerchant({ livemode: true }), { livemode: true });
    const first = await world.cartOf(mine);
    const second = await world.cartOf(theirs, { cartId: first.id });
    expect(second.id).not.toBe(first.id);
    expect(second.livemode).toBe(true);
    expect((await world.api.getCart({ cartId: first.id })).cart).toEqual(first);
  });

  test('with a cart that is unknown, foreign text or ordered begins a new one', async () => {
    const product = world.neighbours.addProduct(world.neighbours.addMerchant());
    for (const cartId of ['0'.repeat(32), 'nonsense', `${'a'.repeat(31)}'`]) {
      const cart = await world.cartOf(product, { cartId });
      expect(cart.id).not.toBe(cartId);
    }
    const ordered = await world.cartOf(product);
    await world.place(ordered);
    expect((await world.cartOf(product, { cartId: ordered.id })).id).not.toBe(ordered.id);
  });
});

describe('what a cart does not take', () => {
  test('quantities that nobody means', async () => {
    const product = world.neighbours.addProduct(world.neighbours.addMerchant(), { minQuantity: 2 });
    const cart = await world.cartOf(product);
    for (const quantity of [-1, 1_000_000_000, 10_001]) {
      await expect(world.cartOf(product, { quantity }), String(quantity)).rejects.toMatchObject({
        code: 'quantity_out_of_range',
      });
      await expect(world.cartOf(product, { quantity, cartId: cart.id })).rejects.toMatchObject({
        code: 'quantity_out_of_range',
      });
      await expect(
        world.api.changeCart({ cartId: cart.id, changes: [{ productId: product.id, quantity }], currency: '' }),
      ).rejects.toMatchObject({ code: 'quantity_out_of_range' });
    }
    await expect(world.cartOf(product, { quantity: 1 })).rejects.toMatchObject({ code: 'quantity_out_of_range' });
    expect((await world.api.getCart({ cartId: cart.id })).cart).toEqual(cart);
  });

  test('products that are unknown, archived or not published', async () => {
    const merchant = world.neighbours.addMerchant();
    const product = world.neighbours.addProduct(merchant);
    const cart = await world.cartOf(product);
    await expect(world.cartOf({ ...product, id: '999999999' }, { cartId: cart.id })).rejects.toMatchObject({
      code: 'product_not_found',
    });
    for (const change of [{ archived: true }, { published: false }]) {
      const gone = world.neighbours.addProduct(merchant, change);
      await expect(world.cartOf(gone, { cartId: cart.id })).rejects.toMatchObject({ code: 'product_not_available' });
    }
    expect((await world.api.getCart({ cartId: cart.id })).cart).toEqual(cart);
  });

  test('a currency that any of its products lacks', async () => {
    const merchant = world.neighbours.addMerchant();
    const inBoth = world.neighbours.addProduct(merchant, {
      prices: [
        { currency: 'EUR', amountMinor: 10n },
        { currency: 'USD', amountMinor: 12n },
      ],
    });
    const inEuro = world.neighbours.addProduct(merchant);
    const cart = await world.cartOf(inBoth, { currency: 'USD' });
    expect(cart.totalMinor).toBe(12n);
    await expect(world.cartOf(inEuro, { cartId: cart.id })).rejects.toMatchObject({ code: 'currency_not_supported' });
    await expect(world.cartOf(inBoth, { cartId: cart.id, currency: 'JPY' })).rejects.toMatchObject({
      code: 'currency_not_supported',
    });
    await expect(world.api.changeCart({ cartId: cart.id, changes: [], currency: 'JPY' })).rejects.toMatchObject({
      code: 'currency_not_supported',
    });
    expect((await world.api.getCart({ cartId: cart.id })).cart).toEqual(cart);
    const { cart: inEuros } = await world.api.changeCart({ cartId: cart.id, changes: [], currency: 'EUR' });
    expect(inEuros).toMatchObject({ currency: 'EUR', totalMinor: 10n });
  });

  test('more than a hundred products', async () => {
    const merchant = world.neighbours.addMerchant();
    let cart = await world.cartOf(world.neighbours.addProduct(merchant));
    for (let at = 1; at < 100; at += 1)
      cart = await world.cartOf(world.neighbours.addProduct(merchant), { cartId: cart.id });
    expect(cart.lines).toHaveLength(100);
    await expect(world.cartOf(world.neighbours.addProduct(merchant), { cartId: cart.id })).rejects.toMatchObject({
      code: 'too_many_items',
    });
  });
});

test('quantities are changed and lines removed; an ordered cart is not', async () => {
  const merchant = world.neighbours.addMerchant();
  const [one, two] = [world.neighbours.addProduct(merchant), world.neighbours.addProduct(merchant)];
  const before = await world.cartOf(two, { cartId: (await world.cartOf(one)).id });
  const changes = [
    { productId: one.id, quantity: 0 },
    { productId: two.id, quantity: 7 },
  ];
  const { cart } = await world.api.changeCart({ cartId: before.id, changes, currency: '' });
  expect(cart?.lines.map((line) => [line.productId, line.quantity])).toEqual([[two.id, 7]]);
  expect(cart?.version).toBeGreaterThan(before.version);
  if (cart !== undefined) await world.place(cart);
  await expect(world.api.changeCart({ cartId: before.id, changes, currency: '' })).rejects.toMatchObject({
    code: 'cart_already_ordered',
  });
  for (const cartId of ['f'.repeat(32), '', 'x'])
    await expect(world.api.getCart({ cartId })).rejects.toMatchObject({ code: 'cart_not_found' });
});

test('a cart that nobody touched for a month is removed; an order stays', async () => {
  const product = world.neighbours.addProduct(world.neighbours.addMerchant());
  const [old, young, ordered] = [await world.cartOf(product), await world.cartOf(product), await world.cartOf(product)];
  const { orderId } = await world.place(ordered);
  const age = (id: string, interval: string) =>
    world.database.everyMerchant('carts are aged', (tx) =>
      sql`update cart set touched_at = now() - ${interval}::interval where cart_id = ${id}`.execute(tx),
    );
  await Promise.all([age(old.id, '31 days'), age(young.id, '29 days'), age(ordered.id, '31 days')]);
  expect(await new Carts(world.database).sweep()).toBe(2);
  await expect(world.api.getCart({ cartId: old.id })).rejects.toMatchObject({ code: 'cart_not_found' });
  expect((await world.api.getCart({ cartId: young.id })).cart?.id).toBe(young.id);
  expect((await world.get(product.merchantId, orderId)).orderId).toBe(orderId);
});

test('links clicked at once all count', async () => {
  const product = world.neighbours.addProduct(world.neighbours.addMerchant());
  const cart = await world.cartOf(product);
  await Promise.all(Array.from({ length: 10 }, () => world.cartOf(product, { cartId: cart.id })));
  expect((await world.api.getCart({ cartId: cart.id })).cart?.lines[0]?.quantity).toBe(11);
});
