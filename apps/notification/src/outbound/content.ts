/** What a batch of mails says, asked for when they are sent: three questions for any number of mails. */
import type { FulfillmentApiService, Licence } from '@tillstream/proto/fulfillment/v1/fulfillment_api';
import type { Merchant, MerchantApiService, Product } from '@tillstream/proto/merchant/v1/merchant_api';
import type { OrderApiService, OrderDocument } from '@tillstream/proto/order/v1/order_api';
import type { Client } from '@tillstream/rpc/client';
import { writePoolLow } from './letters/pool-low.ts';
import type { DueMail } from '../ports.ts';
import { later, notWanted, writeOfOrder, type Written } from './writing.ts';

export interface ContentClients {
  readonly merchant: Pick<Client<typeof MerchantApiService>, 'getMerchants' | 'getProducts'>;
  readonly order: Pick<Client<typeof OrderApiService>, 'getOrderDocuments'>;
  readonly fulfillment: Pick<Client<typeof FulfillmentApiService>, 'getLicences'>;
}

/** Answers what a mail of the batch says. Throws when a service does not answer. */
export async function gatherContent(
  clients: ContentClients,
  mails: readonly DueMail[],
  nowOf: (merchantId: string) => Date,
): Promise<(mail: DueMail) => Written> {
  const [documents, licences, pools] = await Promise.all([
    documentsOf(
      clients,
      mails.filter((mail) => mail.kind !== 'pool_low'),
    ),
    licencesOf(
      clients,
      mails.filter((mail) => mail.kind === 'licence'),
    ),
    poolsOf(
      clients,
      mails.filter((mail) => mail.kind === 'pool_low'),
    ),
  ]);
  return (mail) => {
    if (mail.kind === 'pool_low') return writePool(mail, pools);
    const openOrderId = openOrderOf(mail);
    return writeOfOrder(mail, {
      document: documents.get(orderKey(mail)),
      openOrder: openOrderId === undefined ? undefined : documents.get(`${mail.merchant_id} ${openOrderId}`)?.order,
      licences: licences.get(orderKey(mail)) ?? [],
      now: nowOf(mail.merchant_id),
    });
  };
}

/** The unpaid child of a subscription, beside the parent that the mail is about. */
function openOrderOf({ facts }: DueMail): bigint | undefined {
  return facts !== null && 'openOrderId' in facts && facts.openOrderId !== '0' ? BigInt(facts.openOrderId) : undefined;
}

function orderKey(mail: DueMail): string {
  return `${mail.merchant_id} ${mail.order_id}`;
}

interface OrderKey {
  readonly merchantId: string;
  readonly orderId: bigint;
}

/** Each order once, however many mails are about it. */
function ordersOf(mails: readonly DueMail[]): readonly OrderKey[] {
  const keys = mails.flatMap((mail): OrderKey[] =>
    [mail.order_id, openOrderOf(mail)].flatMap((orderId) =>
      orderId === null || orderId === undefined ? [] : [{ merchantId: mail.merchant_id, orderId }],
    ),
  );
  return [...new Map(keys.map((key) => [`${key.merchantId} ${key.orderId}`, key])).values()];
}

/** The orders as they are now: a mail that was delayed for a day should not say what is no longer so. */
async function documentsOf(
  { order }: ContentClients,
  mails: readonly DueMail[],
): Promise<ReadonlyMap<string, OrderDocument>> {
  const keys = ordersOf(mails).map((each) => ({ ...each, version: 0n }));
  if (keys.length === 0) return new Map();
  const { documents } = await order.getOrderDocuments({ keys });
  return new Map(documents.map((document) => [`${document.key?.merchantId} ${document.key?.orderId}`, document]));
}

async function licencesOf(
  { fulfillment }: ContentClients,
  mails: readonly DueMail[],
): Promise<ReadonlyMap<string, readonly Licence[]>> {
  const orders = ordersOf(mails);
  if (orders.length === 0) return new Map();
  const { licences } = await fulfillment.getLicences({ orders: [...orders] });
  const merchantOf = new Map(orders.map((each) => [each.orderId, each.merchantId]));
  return Map.groupBy(licences, (licence) => `${merchantOf.get(licence.orderId)} ${licence.orderId}`);
}

interface Pools {
  readonly merchants: ReadonlyMap<string, Merchant>;
  readonly products: ReadonlyMap<string, Product>;
}

async function poolsOf({ merchant }: ContentClients, mails: readonly DueMail[]): Promise<Pools> {
  const byMerchant = Map.groupBy(mails, (mail) => mail.merchant_id);
  if (byMerchant.size === 0) return { merchants: new Map(), products: new Map() };
  const [{ merchants }, ...found] = await Promise.all([
    merchant.getMerchants({ merchantIds: [...byMerchant.keys()] }),
    ...[...byMerchant].map(([merchantId, own]) =>
      merchant.getProducts({ merchantId, productIds: [...new Set(own.flatMap((mail) => mail.product_id ?? []))] }),
    ),
  ]);
  return {
    merchants: new Map(merchants.map((each) => [each.id, each])),
    products: new Map(found.flatMap((answer) => answer.products).map((product) => [product.id, product])),
  };
}

function writePool(mail: DueMail, pools: Pools): Written {
  const merchant = pools.merchants.get(mail.merchant_id);
  if (merchant === undefined) return later('merchant_unknown');
  if (merchant.supportEmail === '') return notWanted('no_support_email');
  const productId = mail.product_id ?? '';
  return {
    letter: writePoolLow(merchant, {
      productId,
      productName: pools.products.get(productId)?.name ?? '',
      available: mail.available ?? 0,
      lowWaterMark: mail.low_water_mark ?? 0,
    }),
  };
}
