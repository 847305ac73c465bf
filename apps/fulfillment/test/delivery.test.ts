import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { Envelope } from '@tillstream/messaging/keeper';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeliveryRequest } from '../src/domain/delivery/delivery.ts';
import { nextNumber, openShop, traceparent, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const product = () => String(nextNumber());
const fill = (productId: string, count: number, lowWaterMark = 0) =>
  shop.api.addLicenceCodes({
    merchantId: shop.merchantId,
    productId,
    codes: Array.from({ length: count }, () => `code-${nextNumber()}`),
    lowWaterMark,
    requestId: '',
  });
const pool = async (productId: string) =>
  (await shop.api.getPoolSummaries({ merchantId: shop.merchantId, productIds: [productId] })).pools[0];
const saidOf = (orderId: bigint) =>
  shop.said.filter((event) => event.orderId === orderId).map((event) => event.payload?.$case);
const delivered = (orderId: bigint, count: number) =>
  eventually(async () => (await shop.codes(orderId)).length === count);

function asking(productId: string, quantity = 1): Envelope<DeliveryRequest> & { orderId: bigint } {
  const [orderId, itemId] = [nextNumber(), nextNumber()];
  const item = {
    orderId,
    itemId,
    productId,
    method: 'pool',
    quantity,
    oneCodePer: 'unit',
    firstItemId: 0n,
    previousItemId: 0n,
  } as const;
  return {
    id: String(itemId),
    orderId,
    merchantId: shop.merchantId,
    command: { type: 'requestDelivery', item },
    now: new Date(),
    messageId: randomUUID(),
  };
}

describe('a paid order', () => {
  test('is delivered: codes, counts, news and timeline, in the trace of the payment', async () => {
    const productId = product();
    await fill(productId, 5);
    const { orderId, itemIds } = shop.order([{ productId, quantity: 2 }]);
    await shop.pay(orderId);
    await delivered(orderId, 2);
    const { licences } = await shop.api.getLicences({ orders: [{ merchantId: shop.merchantId, orderId }] });
    expect(licences).toMatchObject(
      [1, 2].map((unitNo) => ({
        orderId,
        itemId: itemIds[0],
        unitNo,
        id: expect.stringMatching(/^lic_[0-9a-z]{26}$/),
        code: expect.stringMatching(/^code-/),
        issuedAt: expect.any(Date),
      })),
    );
    expect(await pool(productId)).toEqual({ productId, available: 3, issued: 2, lowWaterMark: 0 });
    const news = await eventually(() => shop.said.find((event) => event.orderId === orderId));
    expect(news.payload).toEqual({ $case: 'itemDelivered', value: { itemId: itemIds[0], codeCount: 2 } });
    expect(news.header).toMatchObject({ merchantId: shop.merchantId, aggregateVersion: 1n, schemaVersion: 1 });
    const { entries, awaited } = await shop.timeline.readTimeline({ merchantId: shop.merchantId, orderId });
    expect(entries).toMatchObject([
      { source: 'fulfillment', type: 'licences_issued', summary: `Item ${itemIds[0]} was given 2 licence codes.` },
    ]);
    expect(awaited).toEqual([]);
  });

  test('takes the oldest codes first', async () => {
    const productId = product();
    const codes = ['c', 'a', 'b'];
    await shop.api.addLicenceCodes({ merchantId: shop.merchantId, productId, codes, lowWaterMark: 0, requestId: '' });
    const { orderId } = shop.order([{ productId, quantity: 3 }]);
    await shop.pay(orderId);
    await delivered(orderId, 3);
    expect(await shop.codes(orderId)).toEqual(codes);
  });

  test('gets one code for all units where the product says so', async () => {
    const productId = product();
    await fill(productId, 5);
    const { orderId } = shop.order([{ productId, quantity: 4, oneCodePer: 'product' }]);
    await shop.pay(orderId);
    await delivered(orderId, 1);
    expect(await pool(productId)).toMatchObject({ available: 4, issued: 1 });
  });

  test('that needs one code for all units is served by a refill of one', async () => {
    const productId = product();
    const { orderId } = shop.order([{ productId, quantity: 4, oneCodePer: 'product' }]);
    await shop.pay(orderId);
    await eventually(async () => {
      const { awaited } = await shop.timeline.readTimeline({ merchantId: shop.merchantId, orderId });
      return awaited.length === 1;
    });
    await fill(productId, 1);
    await delivered(orderId, 1);
    expect(await pool(productId)).toMatchObject({ available: 0, issued: 1 });
  });

  test('that is told again, by the same message or another, is delivered once', async () => {
    const productId = product();
    await fill(productId, 10);
    const { orderId } = shop.order([{ productId, quantity: 2 }, { productId }]);
    const messageId = randomUUIDv7();
    await shop.pay(orderId, messageId);
    await shop.pay(orderId, messageId);
    await shop.pay(orderId);
    await delivered(orderId, 3);
    const after = shop.order([{ productId }]);
    await shop.pay(after.orderId);
    await delivered(after.orderId, 1);
    expect(await pool(productId)).toMatchObject({ available: 6, issued: 4 });
    await eventually(() => saidOf(after.orderId).length === 1);
    expect(saidOf(orderId)).toEqual(['itemDelivered', 'itemDelivered']);
  });

  test('is delivered item by item: what has codes now, the rest after the refill', async () => {
    const [stocked, empty] = [product(), product()];
    await fill(stocked, 1);
    const { orderId, itemIds } = shop.order([{ productId: stocked }, { productId: empty, quantity: 2 }]);
    await shop.pay(orderId);
    await eventually(() => saidOf(orderId).length === 2);
    expect(new Set(saidOf(orderId))).toEqual(new Set(['itemDelivered', 'itemWaiting']));
    const waiting = await shop.timeline.readTimeline({ merchantId: shop.merchantId, orderId });
    expect(waiting.awaited).toMatchObject([
      {
        source: 'fulfillment',
        type: 'licence_codes',
        summary: `Licence codes for product ${empty}: item ${itemIds[1]} needs 2.`,
      },
    ]);

    // One is too few for both units, and stays in the pool.
    await fill(empty, 1);
    expect(await pool(empty)).toMatchObject({ available: 1, issued: 0 });
    await fill(empty, 1);
    await delivered(orderId, 3);
    await eventually(() => saidOf(orderId).length === 3);
    expect(saidOf(orderId).filter((each) => each === 'itemWaiting')).toHaveLength(1);
    const done = await shop.timeline.readTimeline({ merchantId: shop.merchantId, orderId });
    expect(done.entries.map((entry) => entry.type).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'item_waiting',
      'licences_issued',
      'licences_issued',
    ]);
    expect(done.awaited).toEqual([]);
  });

  test('comes through beside a message from a newer sender, and one that concerns others', async () => {
    const productId = product();
    await fill(productId, 1);
    const { orderId } = shop.order([{ productId }]);
    await shop.publish({ orderId });
    await shop.publish({ orderId, payload: { $case: 'orderCreated', value: { itemCount: 1, renewal: undefined } } });
    expect(await shop.codes(orderId)).toEqual([]);
    await shop.pay(orderId);
    await delivered(orderId, 1);
    expect(shop.log.lines.some((line) => line.text.includes('a newer sender'))).toBe(true);
  });

  test('keeps its trace from the message to the news', async () => {
    const productId = product();
    await fill(productId, 1);
    const { orderId } = shop.order([{ productId }]);
    await shop.pay(orderId);
    await delivered(orderId, 1);
    const line = shop.log.lines.find(
      ({ fields }) => 'command' in fields && 'trace_id' in fields && fields.trace_id === traceparent.slice(3, 35),
    );
    expect(line?.fields).toMatchObject({ machine: 'delivery', command: 'requestDelivery' });
  });
});

const waiting = `
  select from pg_stat_activity where wait_event_type = 'Lock' and query like '%from pool%' and datname = current_database()`;

describe('many at once', () => {
  test('twenty buyers of twenty codes each get one', async () => {
    const productId = product();
    await fill(productId, 20);
    const buyers = Array.from({ length: 20 }, () => asking(productId));
    await Promise.all(buyers.map((buyer) => shop.perform([buyer])));
    const codes = await Promise.all(buyers.map((buyer) => shop.codes(buyer.orderId)));
    expect(new Set(codes.flat()).size).toBe(20);
    expect(codes.every((each) => each.length === 1)).toBe(true);
    expect(await pool(productId)).toMatchObject({ available: 0, issued: 20 });
  });

  test('of 27 buyers of twenty codes exactly seven wait, also in batches', async () => {
    const productId = product();
    await fill(productId, 20);
    const buyers = Array.from({ length: 27 }, () => asking(productId));
    const batches = [buyers.slice(0, 9), buyers.slice(9, 12), ...buyers.slice(12).map((buyer) => [buyer])];
    await Promise.all(batches.map((batch) => shop.perform(batch)));
    const codes = await Promise.all(buyers.map((buyer) => shop.codes(buyer.orderId)));
    expect(codes.filter((each) => each.length === 0)).toHaveLength(7);
    expect(new Set(codes.flat()).size).toBe(20);
  });

  test('one delivery asked for twenty times at once is made once', async () => {
    const productId = product();
    await fill(productId, 20);
    const one = asking(productId);
    await Promise.all(Array.from({ length: 20 }, () => shop.perform([{ ...one, messageId: randomUUID() }])));
    expect(await shop.codes(one.orderId)).toHaveLength(1);
    expect(await pool(productId)).toMatchObject({ available: 19, issued: 1 });
  });

  test('a code that is held by somebody who then fails is not an empty pool', async () => {
    const productId = product();
    await fill(productId, 1);
    const { admin } = shop.place;
    await admin.query('begin');
    await admin.query('update fulfillment.pool set available = 0 where product_id = $1', [productId]);
    await admin.query('update fulfillment.pool_code set issued_at = now() where product_id = $1', [productId]);
    const buyer = asking(productId);
    const buying = shop.perform([buyer]);
    const isWaiting = async () => (await shop.database.pool.query(waiting)).rowCount === 1;
    await eventually(isWaiting).finally(() => admin.query('rollback'));
    await buying;
    expect(await shop.codes(buyer.orderId)).toHaveLength(1);
  });

  test('a refill that meets a buyer at the empty pool leaves nobody waiting', async () => {
    const productId = product();
    const buyers = Array.from({ length: 20 }, () => asking(productId));
    await Promise.all(buyers.flatMap((buyer) => [shop.perform([buyer]), fill(productId, 1)]));
    await eventually(async () => (await pool(productId))?.issued === 20);
    const codes = await Promise.all(buyers.map((buyer) => shop.codes(buyer.orderId)));
    expect(new Set(codes.flat()).size).toBe(20);
  });

  test('a refill serves the oldest first', async () => {
    const productId = product();
    const buyers = Array.from({ length: 3 }, () => asking(productId));
    for (const buyer of buyers) await shop.perform([buyer]);
    await fill(productId, 2);
    await eventually(async () => (await pool(productId))?.issued === 2);
    expect(await Promise.all(buyers.map(async (buyer) => (await shop.codes(buyer.orderId)).length))).toEqual([1, 1, 0]);
  });
});

describe('one transaction', () => {
  test('that cannot announce takes no code, and the next try does all', async () => {
    const productId = product();
    await fill(productId, 1);
    const { admin } = shop.place;
    const buyer = asking(productId);
    await admin.query(`
      create function fulfillment.fail() returns trigger language plpgsql as $$ begin raise exception 'disk full'; end $$;
      create trigger fail before insert on fulfillment.outbox for each row when (new.key = '${buyer.orderId}') execute function fulfillment.fail()`);
    await expect(shop.perform([buyer])).rejects.toThrow('disk full');
    expect(await pool(productId)).toMatchObject({ available: 1, issued: 0 });
    await admin.query('drop trigger fail on fulfillment.outbox; drop function fulfillment.fail()');
    await shop.perform([buyer]);
    expect(await shop.codes(buyer.orderId)).toHaveLength(1);
  });
});

const notices = (productId: string) =>
  shop.said.flatMap((event) =>
    event.payload?.$case === 'poolLow' && event.payload.value.productId === productId ? [event.payload.value] : [],
  );

describe('the low-water notice', () => {
  test('comes once per crossing, and again after a refill above the mark', async () => {
    const productId = product();
    await fill(productId, 4, 3);
    for (let sold = 0; sold < 3; sold += 1) await shop.perform([asking(productId)]);
    await eventually(() => notices(productId).length > 0);
    expect(notices(productId)).toEqual([{ productId, available: 2, lowWaterMark: 3 }]);

    // Still under the mark: no second notice for the same shortage.
    await fill(productId, 1, 3);
    await shop.perform([asking(productId)]);
    // Above the mark, and under it again.
    await fill(productId, 5, 3);
    await shop.perform([asking(productId, 5)]);
    await eventually(() => notices(productId).length === 2);
    expect(notices(productId)[1]).toEqual({ productId, available: 1, lowWaterMark: 3 });
  });

  test('comes once from twenty buyers at once, and never without a mark', async () => {
    const [marked, unmarked] = [product(), product()];
    await Promise.all([fill(marked, 20, 10), fill(unmarked, 20)]);
    await Promise.all(
      [marked, unmarked].flatMap((productId) => Array.from({ length: 20 }, () => shop.perform([asking(productId)]))),
    );
    await eventually(() => notices(marked).length > 0);
    const last = asking(marked);
    await shop.perform([last]);
    await eventually(() => saidOf(last.orderId).length === 1);
    expect(notices(marked)).toEqual([{ productId: marked, available: 9, lowWaterMark: 10 }]);
    expect(notices(unmarked)).toEqual([]);
  });
});
