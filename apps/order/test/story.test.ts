import type { Order, OrderDocument } from '@tillstream/proto/order/v1/order_api';
import { eventually } from '@tillstream/testkit/eventually';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bookedMessage, deliveredMessage, failedMessage, openWorld, paymentMessage, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const anOrder = (itemCount = 1): Promise<Order> => {
  const merchant = world.neighbours.addMerchant();
  return world.order(...Array.from({ length: itemCount }, () => world.neighbours.addProduct(merchant)));
};
const card = { cardType: 'Visa', cardLast4: '4242', cardExpiration: '12/2034' };
const payFor = (order: Order, more: object = {}) =>
  world.neighbours.addPayment(
    { merchantId: order.merchantId, orderId: order.orderId, amountMinor: order.totalMinor, currency: order.currency },
    { status: 'booked', ...card, ...more },
  );
const failFor = (order: Order, more: object = {}) =>
  payFor(order, {
    status: 'failed',
    reason: 'card_declined',
    providerErrorCode: 'AS102',
    providerErrorDescription: 'AUTHORIZATION DECLINED',
    cardType: '',
    cardLast4: '',
    cardExpiration: '',
    ...more,
  });
const kinds = (order: Order) => world.saidOf(order.orderId).map((event) => event.payload?.$case);
const saying = (order: Order, ...wanted: readonly string[]) =>
  eventually(() => JSON.stringify(kinds(order)) === JSON.stringify(wanted), 10_000);
const isPaid = (now: Order) => now.status === 'paid';
const pathOf = (order: Order) => ({ orderId: order.orderId, token: order.token });

const seen = (document: OrderDocument) => {
  const { order: at } = document;
  return [
    at?.status,
    at?.fulfilmentStatus,
    at?.payment?.errorCode,
    at?.payment?.cardLast4,
    at?.items.filter((item) => item.deliveredAt !== undefined).map((item) => item.id),
    at?.refundDuePaymentIds,
    at?.version,
  ];
};

describe('an order as it was', () => {
  test('at every one of its events, after the whole story', async () => {
    const order = await anOrder(2);
    const [one, two] = order.items.map((item) => item.id);
    const [first, second, third] = [
      failFor(order),
      failFor(order, { reason: 'insufficient_funds', providerErrorCode: 'AS51', providerErrorDescription: 'NO FUNDS' }),
      payFor(order),
    ];
    await world.hear(failedMessage(first));
    await saying(order, 'orderCreated', 'orderPaymentFailed');
    await world.hear(failedMessage(second), bookedMessage(third));
    await world.until(order, isPaid);
    await world.hear(deliveredMessage(order, two ?? 0n));
    await world.until(order, (now) => now.items.some((item) => item.deliveredAt !== undefined));
    await world.hear(deliveredMessage(order, one ?? 0n));
    await world.until(order, (now) => now.fulfilmentStatus === 'delivered');
    const again = payFor(order);
    await world.hear(bookedMessage(again));
    await world.until(order, (now) => now.refundDuePaymentIds.length > 0);
    await saying(
      order,
      'orderCreated',
      'orderPaymentFailed',
      'orderPaymentFailed',
      'orderPaid',
      'orderItemDelivered',
      'orderItemDelivered',
      'orderDelivered',
      'orderPaidAgain',
    );

    const events = world.saidOf(order.orderId);
    expect(events.map((event) => event.header?.aggregateVersion)).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
    const { merchantId, orderId } = order;
    const keys = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n].map((version) => ({ merchantId, orderId, version }));
    const { documents } = await world.api.getOrderDocuments({ keys });
    expect(documents.map((document) => document.key)).toEqual(keys);
    expect(documents.map(seen)).toEqual([
      ['not paid', 'not delivered', undefined, undefined, [], [], 1n],
      ['not paid', 'not delivered', 'AS102', '', [], [], 2n],
      ['not paid', 'not delivered', 'AS51', '', [], [], 3n],
      ['paid', 'not delivered', '', '4242', [], [], 4n],
      ['paid', 'not delivered', '', '4242', [two], [], 5n],
      ['paid', 'delivered', '', '4242', [one, two], [], 6n],
      ['paid', 'delivered', '', '4242', [one, two], [], 7n],
      ['paid', 'delivered', '', '4242', [one, two], [again.id], 8n],
    ]);
    expect(documents[1]?.order?.payment).toMatchObject({
      paymentId: first.id,
      reason: 'card_declined',
      errorDescription: 'AUTHORIZATION DECLINED',
      method: 'CreditCard',
      systemName: 'Bank Card',
      moneyMoved: 'no',
    });
    expect(documents[7]?.order?.payment).toMatchObject({
      paymentId: third.id,
      status: 'booked',
      reason: '',
      errorDescription: '',
      cardType: 'Visa',
      cardExpiration: '12/2034',
      moneyMoved: 'yes',
    });
    // The instants of events and documents are the same ones: create_date, pay_date and event_date agree to the second.
    expect(documents.map((document) => document.occurredAt)).toEqual(events.map((event) => event.header?.occurredAt));
    expect(documents[0]?.order?.createdAt).toEqual(documents[0]?.occurredAt);
    expect(documents.map((document) => document.order?.paidAt)).toEqual([
      undefined,
      undefined,
      undefined,
      ...Array.from({ length: 5 }, () => documents[3]?.occurredAt),
    ]);
    // Asked again, and with an answer that everything has happened since: nothing of the past has changed.
    expect((await world.api.getOrderDocuments({ keys })).documents).toEqual(documents);
    const { documents: others } = await world.api.getOrderDocuments({
      keys: [
        { merchantId, orderId, version: 0n },
        { merchantId, orderId, version: 9n },
        { merchantId, orderId: 1n, version: 0n },
      ],
    });
    expect(others.map((document) => document.order)).toEqual([documents[7]?.order]);
    expect(
      events.filter((event) => event.payload?.$case === 'orderItemDelivered').map((event) => event.payload?.value),
    ).toEqual([
      { itemId: two, part: 2, partCount: 2 },
      { itemId: one, part: 1, partCount: 2 },
    ]);
  });
});

test('orders from before renewals were known are read as they were', async () => {
  const order = await anOrder();
  await world.hear(bookedMessage(payFor(order)));
  const paid = await world.until(order, isPaid);
  await world.database.everyMerchant('an old row', async (tx) => {
    await sql`update purchase_order set placed = placed - 'autoRenew' - 'reminders' - 'source' where order_id = ${order.orderId}`.execute(
      tx,
    );
    await sql`update order_history set data = (data - 'terms') #- '{payment,method}' #- '{payment,instrumentId}', schema_version = null where order_id = ${order.orderId}`.execute(
      tx,
    );
  });
  expect(await world.get(order.merchantId, order.orderId)).toEqual(paid);
});

describe('news', () => {
  test('that come again and again do one thing', async () => {
    const order = await anOrder();
    const message = bookedMessage(payFor(order));
    await world.hear(message, message);
    await world.until(order, isPaid);
    const delivered = deliveredMessage(order, order.items[0]?.id ?? 0n);
    await world.hear(message, delivered, delivered, deliveredMessage(order, order.items[0]?.id ?? 0n));
    await world.until(order, (now) => now.fulfilmentStatus === 'delivered');
    const failed = failFor(order);
    await world.hear(message, failedMessage(failed));
    await saying(order, 'orderCreated', 'orderPaid', 'orderItemDelivered', 'orderDelivered');
    expect((await world.get(order.merchantId, order.orderId)).version).toBe(4n);
  });

  test('of two payments: the second is due for refund, and delivers nothing', async () => {
    const order = await anOrder();
    const [first, second] = [payFor(order), payFor(order)];
    await world.hear(bookedMessage(first), bookedMessage(second));
    const after = await world.until(order, (now) => now.refundDuePaymentIds.length > 0);
    expect([after.payment?.paymentId, after.refundDuePaymentIds]).toEqual([first.id, [second.id]]);
    await saying(order, 'orderCreated', 'orderPaid', 'orderPaidAgain');
  });

  test('of late money do not revive a deleted order', async () => {
    const order = await anOrder();
    const { merchantId, orderId } = order;
    expect((await world.api.deleteOrder({ merchantId, orderId })).order?.status).toBe('deleted');
    await world.api.deleteOrder({ merchantId, orderId });
    await expect(world.api.beginPayment({ ...pathOf(order), paymentMethod: 'CreditCard' })).rejects.toMatchObject({
      code: 'order_deleted',
    });
    const late = payFor(order);
    await world.hear(bookedMessage(late));
    const after = await world.until(order, (now) => now.refundDuePaymentIds.length > 0);
    expect([after.status, after.refundDuePaymentIds, after.paidAt]).toEqual(['deleted', [late.id], undefined]);
    await saying(order, 'orderCreated', 'orderDeleted', 'orderPaidLate');
  });

  test('of another sum change nothing; those that nobody knows yet stop nobody', async () => {
    const [order, other] = [await anOrder(), await anOrder()];
    const short = payFor(order, { amountMinor: order.totalMinor - 1n });
    await world.hear(
      bookedMessage(short),
      paymentMessage(short, undefined),
      paymentMessage(short, { $case: 'paymentSeen', value: {} }),
    );
    await world.hear(bookedMessage(payFor(other)));
    await world.until(other, isPaid);
    await eventually(() =>
      JSON.stringify(world.log.lines, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ).includes('amount_mismatch'),
    );
    expect((await world.get(order.merchantId, order.orderId)).status).toBe('not paid');
  });

  test('from a payment service that is away for a while are taken up when it is back', async () => {
    const order = await anOrder();
    world.neighbours.away.add('payment');
    await world.hear(bookedMessage(payFor(order)));
    await eventually(() => world.log.lines.some((line) => line.text.includes('tried key by key')));
    world.neighbours.away.delete('payment');
    await world.until(order, isPaid);
    await saying(order, 'orderCreated', 'orderPaid');
  });

  test('delivered before paid is refused: nothing is delivered that nobody paid', async () => {
    const order = await anOrder();
    await world.hear(deliveredMessage(order, order.items[0]?.id ?? 0n));
    await eventually(() =>
      JSON.stringify(world.log.lines, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ).includes('order_not_paid'),
    );
    expect((await world.get(order.merchantId, order.orderId)).fulfilmentStatus).toBe('not delivered');
  });
});

describe('an unpaid order', () => {
  test('is deleted after ninety days, not an hour before; a paid one never', async () => {
    const [unpaid, paid] = [await anOrder(), await anOrder()];
    await world.hear(bookedMessage(payFor(paid)));
    await world.until(paid, isPaid);
    expect((await world.daysPass(paid, '90 days')).rowCount).toBe(0);
    await world.daysPass(unpaid, '89 days 23 hours');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await world.get(unpaid.merchantId, unpaid.orderId)).status).toBe('not paid');
    await world.daysPass(unpaid, '1 hour');
    await world.until(unpaid, (now) => now.status === 'deleted');
    await saying(unpaid, 'orderCreated', 'orderDeleted');
    expect(world.saidOf(unpaid.orderId)[1]?.payload?.value).toEqual({ reason: 'unpaid_too_long' });
  });

  test('is not deleted by its merchant once it is paid', async () => {
    const order = await anOrder();
    await world.hear(bookedMessage(payFor(order)));
    await world.until(order, isPaid);
    await expect(world.api.deleteOrder(order)).rejects.toMatchObject({ code: 'order_already_paid' });
  });
});

describe('what the customer sees', () => {
  test('paying: one payment, however often it is asked for, and none for what is paid', async () => {
    const order = await anOrder();
    const begin = () => world.api.beginPayment({ ...pathOf(order), paymentMethod: 'CreditCard' });
    const first = await begin();
    expect(first).toEqual(await begin());
    expect(first).toMatchObject({
      status: 'created',
      redirectUrl: expect.stringContaining('https://provider.example/'),
    });
    const asked = world.neighbours.asked.filter((question) => question.what === 'createPayment').at(-1)?.request;
    expect(asked).toMatchObject({
      merchantId: order.merchantId,
      orderId: order.orderId,
      amountMinor: 10_000n,
      currency: 'EUR',
      method: 'CreditCard',
      livemode: false,
      returnUrl: `https://checkout.example/thanks/${order.orderId}/${order.token}`,
    });
    await expect(world.api.beginPayment({ ...pathOf(order), paymentMethod: 'Cowries' })).rejects.toMatchObject({
      code: 'payment_method_not_supported',
    });
    world.neighbours.changePayment(first.paymentId, { status: 'booked' });
    // The news has not arrived yet.
    await expect(begin()).rejects.toMatchObject({ code: 'order_already_paid' });
    const payment = world.neighbours.payments.get(first.paymentId);
    if (payment !== undefined) await world.hear(bookedMessage(payment));
    await world.until(order, isPaid);
    await expect(begin()).rejects.toMatchObject({ code: 'order_already_paid' });
  });

  test('the order with its payment and its codes, as far as the others answer', async () => {
    const merchant = world.neighbours.addMerchant();
    const shown = world.neighbours.addProduct(merchant);
    const hidden = world.neighbours.addProduct(merchant, {
      delivery: { method: 'pool', oneCodePer: 'unit', sendMail: true, showOnOrderPage: false, lowWaterMark: 0 },
    });
    const order = await world.order(shown, hidden);
    const open = (more: object = {}) =>
      world.api.openOrder({ ...pathOf(order), refresh: false, withCodes: true, ...more });
    for (const item of order.items)
      world.neighbours.licences.push({
        id: `lic_${item.id}`,
        orderId: order.orderId,
        itemId: item.id,
        unitNo: 1,
        code: `CODE-${item.id}`,
        issuedAt: undefined,
        firstItemId: 0n,
        previousItemId: 0n,
      });
    const { paymentId } = await world.api.beginPayment({ ...pathOf(order), paymentMethod: 'CreditCard' });
    world.neighbours.changePayment(paymentId, { status: 'processing', moneyMoved: 'unknown' });
    const unpaid = await open({ refresh: true });
    expect(unpaid).toMatchObject({
      codes: [],
      order: { status: 'not paid', payment: { paymentId, status: 'processing', moneyMoved: 'unknown' } },
    });
    world.neighbours.changePayment(paymentId, { status: 'booked', ...card });
    const payment = world.neighbours.payments.get(paymentId);
    if (payment !== undefined)
      await world.hear(bookedMessage(payment), ...order.items.map((item) => deliveredMessage(order, item.id)));
    await world.until(order, (now) => now.fulfilmentStatus === 'delivered');
    const paid = await open();
    expect(paid.codes).toEqual([{ itemId: order.items[0]?.id, codes: [`CODE-${order.items[0]?.id}`] }]);
    expect(paid.order?.payment).toMatchObject({ paymentId, status: 'booked', cardLast4: '4242', moneyMoved: 'yes' });
    expect((await open({ withCodes: false })).codes).toEqual([]);
    world.neighbours.away.add('payment').add('fulfillment').add('merchant');
    expect(await open({ refresh: true })).toMatchObject({
      codes: [],
      order: { status: 'paid' },
      shopName: 'Quill & Söhne',
    });
    world.neighbours.away.clear();
  });
});

test('the timeline says what happened, in which trace, and what is awaited', async () => {
  const order = await anOrder(2);
  const { merchantId, orderId } = order;
  const read = () => world.timeline.readTimeline({ merchantId, orderId });
  const { entries, awaited } = await read();
  expect(entries).toMatchObject([{ source: 'order', type: 'order_created' }]);
  expect(awaited).toMatchObject([
    { source: 'order', until: new Date((order.createdAt?.getTime() ?? 0) + 90 * 86_400_000) },
  ]);
  const message = bookedMessage(payFor(order));
  await world.hear(message);
  await world.until(order, isPaid);
  const after = await read();
  expect(after.entries.map((entry) => entry.type)).toEqual(['order_created', 'order_paid']);
  expect(after.entries[1]?.objectId).toMatch(/^pay_/);
  expect(after.entries[1]?.traceId).toBe(message.headers.traceparent.split('-')[1]);
  expect(after.awaited).toHaveLength(2);
  const text = JSON.stringify([entries, after.entries]);
  for (const secret of [order.token, 'customer.example', '4242']) expect(text).not.toContain(secret);
});
