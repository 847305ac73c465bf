import { eventually } from '@tillstream/testkit/eventually';
import { expectTenantIsolation } from '@tillstream/testkit/tenants';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jane, openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const aCart = async () => {
  const merchant = world.neighbours.addMerchant();
  const product = world.neighbours.addProduct(merchant);
  return { merchant, product, cart: await world.cartOf(product) };
};

describe('placing an order', () => {
  test('keeps what was agreed on, whatever the catalogue becomes', async () => {
    const merchant = world.neighbours.addMerchant();
    const product = world.neighbours.addProduct(merchant, {
      name: 'Quill',
      prices: [{ currency: 'EUR', amountMinor: 3_333n }],
    });
    const cart = await world.cartOf(product, { quantity: 3 });
    const { orderId, token } = await world.place(cart, { customer: { ...jane, firstName: ' محمد 🌸 ' }, locale: 'de' });
    world.neighbours.changeProduct(product.id, {
      name: 'Renamed',
      prices: [{ currency: 'EUR', amountMinor: 1n }],
      archived: true,
    });
    const order = await world.get(merchant.id, orderId);
    expect(order).toMatchObject({
      orderName: `A${String(orderId).padStart(10, '0')}`,
      status: 'not paid',
      fulfilmentStatus: 'not delivered',
      externalId: '',
      currency: 'EUR',
      locale: 'de',
      totalMinor: 9_999n,
      timeZone: 'Europe/Berlin',
      paymentMethod: 'CreditCard',
      additionalData: [],
      detailUrl: `https://checkout.example/order/status/${orderId}/${token}`,
      version: 1n,
      refundDuePaymentIds: [],
    });
    expect(orderId).toBeGreaterThan(1_000_000n);
    expect(token).toMatch(/^[0-9a-f]{32}$/);
    expect([order.paidAt, order.payment]).toEqual([undefined, undefined]);
    expect(order.customer?.firstName).toBe('محمد 🌸');
    // A tenth is the platform's: 999.9 is rounded once, to 1000.
    expect(order.items).toMatchObject([
      {
        name: 'Quill',
        familyName: 'Family',
        priceMinor: 3_333n,
        quantity: 3,
        amountMinor: 9_999n,
        vatMinor: 0n,
        discountMinor: 0n,
        marginMinor: 8_999n,
        deliveryMethod: 'pool',
      },
    ]);
  });

  test('names every field that is missing or wrong at once, and makes nothing', async () => {
    const { merchant, cart } = await aCart();
    const empty = { ...jane, country: '', email: '', firstName: ' ', lastName: '' };
    await expect(
      world.place(cart, { customer: empty, termsAccepted: false, privacyAccepted: false, paymentMethod: '' }),
    ).rejects.toMatchObject({
      code: 'invalid_field',
      fields: expect.arrayContaining([
        expect.objectContaining({ param: 'customer.country', code: 'required' }),
        expect.objectContaining({ param: 'customer.email', code: 'required' }),
        expect.objectContaining({ param: 'customer.first_name', code: 'required' }),
        expect.objectContaining({ param: 'customer.last_name', code: 'required' }),
        expect.objectContaining({ param: 'payment_method', code: 'required' }),
        expect.objectContaining({ param: 'terms_accepted', code: 'terms_not_accepted' }),
        expect.objectContaining({ param: 'privacy_accepted', code: 'privacy_not_accepted' }),
      ]),
    });
    const wrong: readonly [object, string, string][] = [
      [{ firstName: 'x'.repeat(10_000) }, 'customer.first_name', 'too_long'],
      [{ lastName: '4242 4242 4242 4242' }, 'customer.last_name', 'card_number_refused'],
      [{ email: 'not an address' }, 'customer.email', 'invalid_field'],
      [{ email: `a@b.example\r\nBcc: c@d.example` }, 'customer.email', 'invalid_field'],
      [{ country: 'UK' }, 'customer.country', 'invalid_field'],
      [{ country: 'Germany' }, 'customer.country', 'invalid_field'],
      [{ type: 'legal' }, 'customer.company_name', 'required'],
      [{ type: 'robot' }, 'customer.type', 'invalid_field'],
    ];
    for (const [change, param, code] of wrong) {
      await expect(world.place(cart, { customer: { ...jane, ...change } }), param).rejects.toMatchObject({
        code: 'invalid_field',
        fields: [{ param, code }],
      });
    }
    await expect(world.place(cart, { paymentMethod: 'Cowries' })).rejects.toMatchObject({
      fields: [{ param: 'payment_method', code: 'payment_method_not_supported' }],
    });
    const { orders } = await world.api.listOrders({
      merchantId: merchant.id,
      limit: 10,
      startingAfter: 0n,
      endingBefore: 0n,
      status: '',
      fulfilmentStatus: '',
      customerEmail: '',
      externalId: '',
    });
    expect(orders).toEqual([]);
  });

  test('twenty submissions at once, from two tabs, make one order and one event', async () => {
    const { merchant, cart } = await aCart();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => world.place(cart, { customer: { ...jane, firstName: `Tab ${at % 2}` } })),
    );
    expect(new Set(answers.map((answer) => `${answer.orderId} ${answer.token}`)).size).toBe(1);
    const [{ orderId, token } = { orderId: 0n, token: '' }] = answers;
    expect(await world.place(cart)).toEqual({ orderId, token });
    expect((await world.api.getCart({ cartId: cart.id })).cart).toMatchObject({ orderId, orderToken: token });
    await world.until(await eventually(() => world.get(merchant.id, orderId)), () => world.saidOf(orderId).length > 0);
    expect(world.saidOf(orderId).map((event) => event.payload)).toEqual([
      { $case: 'orderCreated', value: { itemCount: 1 } },
    ]);
    const { rows } = await world.database.pool.query(
      'select count(*)::int as timers from timer where aggregate_id = $1',
      [String(orderId)],
    );
    expect(rows).toEqual([{ timers: 1 }]);
  });

  test('of a cart that is unknown, empty, out of date or no longer for sale is refused', async () => {
    const { product, cart } = await aCart();
    await expect(world.place({ ...cart, id: 'e'.repeat(32) })).rejects.toMatchObject({ code: 'cart_not_found' });
    await world.cartOf(product, { cartId: cart.id });
    await expect(world.place(cart)).rejects.toMatchObject({ code: 'cart_changed' });
    const { cart: emptied } = await world.api.changeCart({
      cartId: cart.id,
      changes: [{ productId: product.id, quantity: 0 }],
      currency: '',
    });
    await expect(world.place(emptied ?? cart)).rejects.toMatchObject({ code: 'cart_empty' });
  });

  test('a product that was archived meanwhile stops the order once; what is left can be bought', async () => {
    const { merchant, cart } = await aCart();
    const other = world.neighbours.addProduct(merchant);
    const both = await world.cartOf(other, { cartId: cart.id });
    world.neighbours.changeProduct(other.id, { archived: true });
    await expect(world.place(both)).rejects.toMatchObject({ code: 'product_not_available' });
    const { cart: left } = await world.api.getCart({ cartId: cart.id });
    expect(left?.lines).toHaveLength(1);
    const { orderId } = await world.place(left ?? cart);
    expect((await world.get(merchant.id, orderId)).totalMinor).toBe(10_000n);
  });

  test('at another price than the one that was shown is refused, and then goes at the new one', async () => {
    const { merchant, product, cart } = await aCart();
    world.neighbours.changeProduct(product.id, { prices: [{ currency: 'EUR', amountMinor: 12_000n }] });
    await expect(world.place(cart)).rejects.toMatchObject({ code: 'cart_changed' });
    const { cart: shown } = await world.api.getCart({ cartId: cart.id });
    const { orderId } = await world.place(shown ?? cart);
    expect((await world.get(merchant.id, orderId)).totalMinor).toBe(12_000n);
  });

  test('against changes of the cart at the same moment: the order is what its customer saw', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { merchant, product, cart } = await aCart();
      const [placed, changed] = await Promise.allSettled([
        world.place(cart),
        world.api.changeCart({ cartId: cart.id, changes: [{ productId: product.id, quantity: 2 }], currency: '' }),
      ]);
      // One of the two comes first, and the other hears of it.
      expect([placed.status, changed.status].toSorted()).toEqual(['fulfilled', 'rejected']);
      if (placed.status === 'fulfilled')
        expect((await world.get(merchant.id, placed.value.orderId)).items[0]?.quantity).toBe(1);
      else expect(placed.reason).toMatchObject({ code: 'cart_changed' });
      if (changed.status === 'rejected') expect(changed.reason).toMatchObject({ code: 'cart_already_ordered' });
    }
  });

  test('places the order or nothing when the database is cut off in the middle', async () => {
    const { merchant, cart } = await aCart();
    const cutting = setInterval(() => {
      void world.database.pool
        .query(
          `select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and state <> 'idle' and pid <> pg_backend_pid()`,
        )
        .catch(() => undefined);
    }, 2);
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => world.place(cart)));
    clearInterval(cutting);
    // The last cut may still be on its way.
    const { orderId } = await eventually(() => world.place(cart));
    for (const answer of answers) if (answer.status === 'fulfilled') expect(answer.value.orderId).toBe(orderId);
    const { orders } = await eventually(() =>
      world.api.listOrders({
        merchantId: merchant.id,
        limit: 10,
        startingAfter: 0n,
        endingBefore: 0n,
        status: '',
        fulfilmentStatus: '',
        customerEmail: '',
        externalId: '',
      }),
    );
    expect(orders.map((order) => order.orderId)).toEqual([orderId]);
    await world.until(await eventually(() => world.get(merchant.id, orderId)), () => world.saidOf(orderId).length > 0);
    expect(world.saidOf(orderId)).toHaveLength(1);
  });
});

describe('who sees an order', () => {
  test('a merchant sees its own: newest first, in pages, by filters', async () => {
    const merchant = world.neighbours.addMerchant();
    const product = world.neighbours.addProduct(merchant);
    const made: bigint[] = [];
    for (let at = 0; at < 5; at += 1)
      made.unshift(
        (
          await world.place(await world.cartOf(product), {
            customer: { ...jane, email: `Buyer${at}@customer.example` },
          })
        ).orderId,
      );
    const stranger = world.neighbours.addMerchant();
    const list = async (more: object, merchantId = merchant.id) => {
      const { orders, hasMore } = await world.api.listOrders({
        merchantId,
        limit: 2,
        startingAfter: 0n,
        endingBefore: 0n,
        status: '',
        fulfilmentStatus: '',
        customerEmail: '',
        externalId: '',
        ...more,
      });
      return [orders.map((order) => order.orderId), hasMore];
    };
    expect(await list({})).toEqual([made.slice(0, 2), true]);
    expect(await list({ startingAfter: made[1] })).toEqual([made.slice(2, 4), true]);
    expect(await list({ startingAfter: made[3] })).toEqual([made.slice(4), false]);
    expect(await list({ endingBefore: made[3] })).toEqual([made.slice(1, 3), true]);
    expect(await list({ customerEmail: 'buyer3@CUSTOMER.example' })).toEqual([[made[1]], false]);
    expect(await list({ status: 'paid' })).toEqual([[], false]);
    expect(await list({}, stranger.id)).toEqual([[], false]);
    const [orderId = 0n] = made;
    await expect(world.get(stranger.id, orderId)).rejects.toMatchObject({ code: 'order_not_found' });
    await expect(world.api.deleteOrder({ merchantId: stranger.id, orderId })).rejects.toMatchObject({
      code: 'order_not_found',
    });
    expect(await world.api.getOrderDocuments({ keys: [{ merchantId: stranger.id, orderId, version: 0n }] })).toEqual({
      documents: [],
    });
    expect(await world.timeline.readTimeline({ merchantId: stranger.id, orderId })).toEqual({
      entries: [],
      awaited: [],
    });
  });

  test('a customer needs the whole token', async () => {
    const { merchant, cart } = await aCart();
    const { orderId, token } = await world.place(cart);
    const open = (id: bigint, word: string) =>
      world.api.openOrder({ orderId: id, token: word, refresh: false, withCodes: false });
    expect(await open(orderId, token)).toMatchObject({
      order: { orderId, merchantId: merchant.id },
      shopName: 'Quill & Söhne',
      supportEmail: 'help@quill.example',
    });
    for (const word of [
      '',
      '0'.repeat(32),
      token.slice(0, 31),
      `${token}0`,
      token.toUpperCase().replace(/^[0-9]+$/, 'x'),
      'ü\u0000',
    ]) {
      if (word === token) continue;
      await expect(open(orderId, word), word).rejects.toMatchObject({ code: 'order_not_found' });
      await expect(world.api.beginPayment({ orderId, token: word, paymentMethod: 'CreditCard' })).rejects.toMatchObject(
        { code: 'order_not_found' },
      );
    }
    await expect(open(orderId + 1_000n, token)).rejects.toMatchObject({ code: 'order_not_found' });
  });

  test('every table keeps its merchants apart', async () => {
    await expectTenantIsolation(world.database);
    const { merchant, cart } = await aCart();
    await world.place(cart);
    const forgotten = await world.database.transaction([world.neighbours.addMerchant().id], (tx) =>
      tx.selectFrom('order_history').selectAll().execute(),
    );
    expect(forgotten).toEqual([]);
    const seen = await world.database.transaction([merchant.id], (tx) =>
      tx.selectFrom('order_history').selectAll().execute(),
    );
    expect(seen.map((row) => row.merchant_id)).toEqual([merchant.id]);
  });

  test('no announcement has an address, a name or a token: whoever hears it asks', async () => {
    const { cart } = await aCart();
    const { token } = await world.place(cart);
    const { rows } = await world.database.pool.query<{ text: string; bytes: Buffer }>(
      'select row_to_json(o)::text as text, o.value as bytes from "order".outbox o',
    );
    expect(rows.length).toBeGreaterThan(0);
    const said = rows.map((row) => row.text + row.bytes.toString('latin1')).join('\n');
    for (const secret of [token, cart.id, jane.email, jane.lastName]) expect(said.includes(secret)).toBe(false);
    expect(said).not.toContain('@');
  });

  test('no log line has an address, a name or a token', async () => {
    const { cart } = await aCart();
    const { token } = await world.place(cart);
    const text = JSON.stringify(world.log.lines, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(text).toContain('performed');
    for (const secret of [token, cart.id, jane.email, jane.lastName]) expect(text).not.toContain(secret);
  });
});
