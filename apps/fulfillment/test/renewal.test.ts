import { randomUUID } from 'node:crypto';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countWaiting } from '../src/outbound/fulfillment-queries.ts';
import { nextNumber, openShop, type Shop } from './shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.stop());

const fill = (productId: string, codes: string[]) =>
  shop.api.addLicenceCodes({ merchantId: shop.merchantId, productId, codes, lowWaterMark: 0, requestId: '' });
const licences = async (orderId: bigint) =>
  (await shop.api.getLicences({ orders: [{ merchantId: shop.merchantId, orderId }] })).licences;
const delivered = (orderId: bigint, count: number) =>
  eventually(async () => {
    const found = await licences(orderId);
    return found.length === count && found;
  });
/** Each renews the one before it; answers the orders and items of all terms. */
async function sellTerms(productId: string, count: number): Promise<{ orderId: bigint; itemId: bigint }[]> {
  const terms: { orderId: bigint; itemId: bigint }[] = [];
  for (let term = 1; term <= count; term += 1) {
    const itemId = nextNumber();
    const chain =
      term === 1
        ? { isParent: true }
        : { firstItemId: terms[0]?.itemId ?? 0n, previousItemId: terms.at(-1)?.itemId ?? 0n };
    const { orderId } = shop.order([{ productId, itemId, ...chain }]);
    await shop.pay(orderId);
    // Orders have keys of their own: nothing but waiting keeps one behind another.
    await eventually(() => shop.said.some((event) => event.orderId === orderId));
    terms.push({ orderId, itemId });
  }
  return terms;
}

test('a renewal is delivered with a code of its own, and knows whose licences came before', async () => {
  const productId = String(nextNumber());
  await fill(productId, ['first', 'second', 'third', 'fourth']);
  const [parent, second, third] = await sellTerms(productId, 3);
  const chains = [];
  for (const term of [parent, second, third]) {
    const [licence] = await delivered(term?.orderId ?? 0n, 1);
    chains.push([licence?.code, licence?.firstItemId, licence?.previousItemId]);
  }
  expect(chains).toEqual([
    ['first', 0n, 0n],
    ['second', parent?.itemId, parent?.itemId],
    ['third', parent?.itemId, second?.itemId],
  ]);
  // The chain leads back to every earlier code.
  const terms = [parent, second].map((term) => ({ merchantId: shop.merchantId, orderId: term?.orderId ?? 0n }));
  const { licences: before } = await shop.api.getLicences({ orders: terms });
  expect(before.map(({ itemId, code }) => [itemId, code])).toEqual([
    [parent?.itemId, 'first'],
    [second?.itemId, 'second'],
  ]);
});

test('a renewal that is told again, by the same message or another, is delivered once', async () => {
  const productId = String(nextNumber());
  await fill(productId, ['a', 'b', 'c', 'd', 'e']);
  const [parent] = await sellTerms(productId, 1);
  const itemId = nextNumber();
  const chain = { firstItemId: parent?.itemId ?? 0n, previousItemId: parent?.itemId ?? 0n };
  const { orderId } = shop.order([{ productId, itemId, quantity: 2, ...chain }]);
  const messageId = randomUUID();
  await Promise.all([shop.pay(orderId, messageId), shop.pay(orderId, messageId), shop.pay(orderId)]);
  await delivered(orderId, 2);
  // Whatever came again was heard before what comes now.
  const [after] = await sellTerms(productId, 1);
  await delivered(after?.orderId ?? 0n, 1);
  expect((await licences(orderId)).map((licence) => [licence.code, licence.previousItemId])).toEqual([
    ['b', parent?.itemId],
    ['c', parent?.itemId],
  ]);
  const said = () => shop.said.filter((event) => event.orderId === orderId).map((event) => event.payload?.$case);
  await eventually(() => said().length > 0);
  expect(said()).toEqual(['itemDelivered']);
});

test('a renewal that found the pool empty keeps its chain until the refill', async () => {
  const productId = String(nextNumber());
  await fill(productId, ['only']);
  const [parent, second] = await sellTerms(productId, 2);
  await eventually(() =>
    shop.said.some((event) => event.orderId === second?.orderId && event.payload?.$case === 'itemWaiting'),
  );
  await fill(productId, ['refilled']);
  const [licence] = await delivered(second?.orderId ?? 0n, 1);
  expect(licence).toMatchObject({ code: 'refilled', firstItemId: parent?.itemId, previousItemId: parent?.itemId });
});

test('everything is stamped with merchant time; who waits for a refill is known to wait for somebody', async () => {
  const future = new Date(Date.now() + 400 * 86_400_000);
  shop.clock.set(future);
  const productId = String(nextNumber());
  const [parent] = await sellTerms(productId, 1);
  await eventually(async () => (await countWaiting(shop.database, shop.merchantId)) === 1);
  await fill(productId, ['late']);
  const [licence] = await delivered(parent?.orderId ?? 0n, 1);
  expect(licence?.issuedAt).toEqual(future);
  const { entries } = await shop.timeline.readTimeline({
    merchantId: shop.merchantId,
    orderId: parent?.orderId ?? 0n,
  });
  expect(entries.map((entry) => entry.at)).toEqual([future, future]);
  const news = await eventually(() => {
    const said = shop.said.filter((event) => event.orderId === parent?.orderId);
    return said.length === 2 && said;
  });
  expect(news.map((event) => event.header?.occurredAt)).toEqual([future, future]);
  const { rows } = await shop.place.admin.query('select added_at from fulfillment.pool_code where product_id = $1', [
    productId,
  ]);
  expect(rows).toEqual([{ added_at: future }]);
  expect(await countWaiting(shop.database, shop.merchantId)).toBe(0);
});
