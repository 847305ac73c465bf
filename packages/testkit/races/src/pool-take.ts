/** The last codes of a pool: more buyers than codes, some of them told of twice. */
import { messageOf } from '@tillstream/testkit/wire';
import { randomUUIDv7 } from 'node:crypto';
import { fulfillmentApp, home, type FulfillmentTables } from '@tillstream/fulfillment/app';
import { orderEvents } from '@tillstream/messaging/topics';
import { FulfillmentApiService } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import { Order, OrderItem, type GetOrderDocumentsRequest } from '@tillstream/proto/order/v1/order_api';
import { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { newsOf } from './news.ts';
import { complaints, type Race } from './race.ts';
import { alternate, merchantId, openStage, vaultKeys } from './stage.ts';

export const poolTake: Race = {
  name: 'pool-take',
  holds: 'Every code goes to one unit, nobody waits while there are codes, and a pool counts what it has.',
  async open(contenders) {
    const stage = await openStage(home);
    const products = new Map<bigint, string>();
    const order = { getOrderDocuments: async (asked: GetOrderDocumentsRequest) => documentsOf(asked, products) };
    const services = await stage.two<FulfillmentTables>(home, (own) =>
      fulfillmentApp({ ...own, clients: { order }, config: { VAULT_KEYS: vaultKeys } }),
    );
    const api = services[0].client(FulfillmentApiService);
    const told = Math.floor(contenders / 4);
    const [buyers, codeCount] = [contenders - told, Math.ceil(contenders * 0.4)];
    return {
      async round(nth) {
        const productId = String(100_001 + nth);
        const codes = Array.from({ length: codeCount }, (_, at) => `CODE-${nth}-${at}`);
        await api.addLicenceCodes({ merchantId, productId, codes, lowWaterMark: 2, requestId: '' });
        const sold = Array.from({ length: buyers }, (_, at) => ({
          orderId: BigInt(nth * 1_000 + at + 1),
          messageId: randomUUIDv7(),
        }));
        for (const { orderId } of sold) products.set(orderId, productId);
        // Of those told of twice, one half by the same message and one half by another.
        const again = sold.slice(0, told).map(({ orderId, messageId }, at) => ({
          orderId,
          messageId: at % 2 === 0 ? messageId : randomUUIDv7(),
        }));
        return {
          contenders: [...sold, ...again].map(
            (each, at) => () => alternate(services, at).hear(paid(each.orderId, each.messageId)),
          ),
          async check() {
            const [found] = await stage.rows<Found>(checkSql, [productId]);
            products.clear();
            if (found === undefined) return { ended: 'lost', wrong: ['the pool is gone'] };
            const sellable = Math.min(codeCount, buyers);
            const wrong = complaints(
              [found.licences === sellable, `${sellable} codes should be issued, ${found.licences} are`],
              [found.distinct === found.licences, 'a code was issued twice'],
              [found.delivered === sellable && found.waiting === buyers - sellable, 'deliveries are not one an order'],
              [found.wrong === 0, `${found.wrong} deliveries have not the codes that their status says`],
              [
                found.available === found.unissued && found.issued === found.licences,
                'the pool counts other than it has',
              ],
              [found.notices === 1, `the low pool was told of ${found.notices} times`],
            );
            return { ended: `${found.delivered} delivered, ${found.waiting} wait`, wrong };
          },
        };
      },
      close: () => stage.close(),
    };
  },
};

interface Found {
  licences: number;
  distinct: number;
  delivered: number;
  waiting: number;
  wrong: number;
  available: number;
  issued: number;
  unissued: number;
  notices: number;
}

const checkSql = `
  with mine as (select * from fulfillment.delivery where product_id = $1),
    given as (select l.* from fulfillment.licence l join mine using (item_id))
  select (select count(*)::int from given) as licences,
    (select count(distinct pool_code_id)::int from given) as distinct,
    (select count(*)::int from mine where status = 'delivered') as delivered,
    (select count(*)::int from mine where status = 'waiting') as waiting,
    (select count(*)::int from mine where code_count * (status = 'delivered')::int <> (select count(*) from given where given.item_id = mine.item_id)) as wrong,
    p.available, p.issued,
    (select count(*)::int from fulfillment.pool_code c where c.product_id = $1 and c.issued_at is null) as unissued,
    (select count(*)::int from fulfillment.outbox o where o.key = $1) as notices
  from fulfillment.pool p where p.product_id = $1`;

function paid(orderId: bigint, messageId: string) {
  const value = { paymentId: '', amountMinor: 1n, currency: 'EUR', renewal: undefined, startsSubscriptions: false };
  return newsOf(orderEvents, { merchantId, key: orderId, version: 2n, messageId }, (header) =>
    OrderEvent.encode({ header, orderId, payload: { $case: 'orderPaid', value } }).finish(),
  );
}

function documentsOf({ keys }: GetOrderDocumentsRequest, products: ReadonlyMap<bigint, string>) {
  const documents = keys.map((key) => {
    const item = { id: key.orderId, productId: products.get(key.orderId) ?? '', quantity: 1 };
    const items = [messageOf(OrderItem, { ...item, oneCodePer: 'unit', deliveryMethod: 'pool' })];
    const order = messageOf(Order, { orderId: key.orderId, merchantId, items });
    return { key, order, shopName: '', supportEmail: '', occurredAt: undefined };
  });
  return { documents };
}
