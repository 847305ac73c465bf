/** The product library. */
import type { Database } from '@tillstream/database/database';
import { beyond } from '@tillstream/database/page';
import { gatherEach } from '@tillstream/messaging/gather';
import type { Product } from '@tillstream/proto/merchant/v1/merchant_api';
import { sql, type Selectable } from 'kysely';
import type { ProductDraft } from '../domain/product.ts';
import { keyset, type PageQuery } from './keyset.ts';
import type { MerchantTables } from './tables.ts';

export class Products {
  readonly #database: Database<MerchantTables>;

  readonly #anyones: (lane: string, id: bigint) => Promise<Product | undefined>;
  readonly #ones: (merchantId: string, id: bigint) => Promise<Product | undefined>;

  constructor(database: Database<MerchantTables>) {
    this.#database = database;
    this.#anyones = gatherEach((ids) => this.#readAnyones(ids));
    this.#ones = gatherEach((ids, merchantId) => this.#read(merchantId, ids));
  }

  /** With a request id that was seen, the product it made. Undefined when there is no such merchant. */
  create(merchantId: string, draft: ProductDraft, requestId: string): Promise<Product | undefined> {
    return this.#database.transaction([merchantId], async (tx) => {
      const merchant = await tx
        .selectFrom('merchant')
        .where('merchant_id', '=', merchantId)
        .select('livemode')
        .executeTakeFirst();
      if (merchant === undefined) return undefined;
      const made = await tx
        .insertInto('product')
        .values({
          ...toRow(draft),
          product_id: sql<bigint>`nextval('product_number')`,
          merchant_id: merchantId,
          livemode: merchant.livemode,
          request_id: requestId === '' ? null : requestId,
        })
        .onConflict((conflict) => conflict.columns(['merchant_id', 'request_id']).doNothing())
        .returningAll()
        .executeTakeFirst();
      if (made !== undefined) return toWire(made);
      return toWire(
        await tx
          .selectFrom('product')
          .where('merchant_id', '=', merchantId)
          .where('request_id', '=', requestId)
          .selectAll()
          .executeTakeFirstOrThrow(),
      );
    });
  }

  /** Reads, lets the caller decide what becomes of it, and writes; the row is locked in between. */
  change(
    merchantId: string,
    productId: string,
    decide: (before: Product) => ProductDraft,
  ): Promise<Product | undefined> {
    const id = readNumber(productId);
    if (id === undefined) return Promise.resolve(undefined);
    return this.#database.transaction([merchantId], async (tx) => {
      const before = await tx
        .selectFrom('product')
        .where('merchant_id', '=', merchantId)
        .where('product_id', '=', id)
        .selectAll()
        .forUpdate()
        .executeTakeFirst();
      if (before === undefined) return undefined;
      const after = await tx
        .updateTable('product')
        .set(toRow(decide(toWire(before))))
        .where('product_id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      return toWire(after);
    });
  }

  /** Unknown and foreign ones are left out. */
  async get(merchantId: string, productIds: readonly string[]): Promise<readonly Product[]> {
    const ids = new Set(productIds.map(readNumber).filter((id) => id !== undefined));
    const found = await Promise.all([...ids].map((id) => this.#ones(merchantId, id)));
    return found.filter((product) => product !== undefined);
  }

  async #read(merchantId: string, ids: readonly bigint[]): Promise<readonly (Product | undefined)[]> {
    const rows = await this.#database.statement([merchantId], (tx) =>
      tx
        .selectFrom('product')
        .where('merchant_id', '=', merchantId)
        .where(sql<boolean>`product_id = any (${ids}::bigint[])`)
        .selectAll()
        .execute(),
    );
    return inOrder(ids, rows);
  }

  async find(productId: string): Promise<Product | undefined> {
    const id = readNumber(productId);
    return id === undefined ? undefined : this.#anyones('', id);
  }

  async #readAnyones(ids: readonly bigint[]): Promise<readonly (Product | undefined)[]> {
    const rows = await this.#database.everyMerchantStatement(
      'a checkout link names a product, and the product its merchant',
      (tx) =>
        tx
          .selectFrom('product')
          .where(sql<boolean>`product_id = any (${ids}::bigint[])`)
          .selectAll()
          .execute(),
    );
    return inOrder(ids, rows);
  }

  async list(
    merchantId: string,
    page: PageQuery,
    withArchived: boolean,
  ): Promise<{ products: readonly Product[]; hasMore: boolean }> {
    const { after, before, isBackward, limit } = keyset(page, (id) => readNumber(id) ?? 0n);
    const rows = await this.#database.statement([merchantId], (tx) => {
      let query = tx
        .selectFrom('product')
        .where('merchant_id', '=', merchantId)
        .selectAll()
        .limit(limit + 1);
      if (!withArchived) query = query.where('archived', '=', false);
      if (after !== undefined) query = query.where(beyond('product_id', '<', { merchantId, id: after }));
      if (before !== undefined) query = query.where(beyond('product_id', '>', { merchantId, id: before }));
      return query.orderBy('product_id', isBackward ? 'asc' : 'desc').execute();
    });
    const shown = rows.slice(0, limit);
    if (isBackward) shown.reverse();
    return { products: shown.map(toWire), hasMore: rows.length > limit };
  }
}

/** A product id is a string of digits (seed 003); anything else names no product. */
function inOrder(
  ids: readonly bigint[],
  rows: readonly Selectable<MerchantTables['product']>[],
): (Product | undefined)[] {
  const byId = new Map(rows.map((row) => [row.product_id, toWire(row)]));
  return ids.map((id) => byId.get(id));
}

function readNumber(id: string): bigint | undefined {
  return /^[1-9][0-9]{0,17}$/.test(id) ? BigInt(id) : undefined;
}

function toRow(draft: ProductDraft) {
  return {
    name: draft.name,
    family_name: draft.familyName,
    description: draft.description,
    image_url: draft.imageUrl,
    vendor_code: draft.vendorCode,
    sku: draft.sku,
    business_segment: draft.businessSegment,
    prices: sql<
      MerchantTables['product']['prices']
    >`${JSON.stringify(draft.prices.map((price) => ({ currency: price.currency, amount_minor: String(price.amountMinor) })))}::jsonb`,
    min_quantity: draft.minQuantity,
    published: draft.published,
    archived: draft.archived,
    delivery: sql<MerchantTables['product']['delivery']>`${JSON.stringify({
      method: draft.delivery.method,
      one_code_per: draft.delivery.oneCodePer,
      send_mail: draft.delivery.sendMail,
      show_on_order_page: draft.delivery.showOnOrderPage,
      low_water_mark: draft.delivery.lowWaterMark,
    })}::jsonb`,
    subscription:
      draft.subscription === undefined
        ? null
        : sql<MerchantTables['product']['subscription']>`${JSON.stringify({
            type: draft.subscription.type,
            period: draft.subscription.period,
            trial_period: draft.subscription.trialPeriod,
            renewal_price: draft.subscription.renewalPrice,
          })}::jsonb`,
    metadata: sql<Record<string, string>>`${JSON.stringify(draft.metadata)}::jsonb`,
  };
}

function toWire(row: Selectable<MerchantTables['product']>): Product {
  return {
    id: String(row.product_id),
    merchantId: row.merchant_id,
    livemode: row.livemode,
    name: row.name,
    familyName: row.family_name,
    description: row.description,
    imageUrl: row.image_url,
    vendorCode: row.vendor_code,
    sku: row.sku,
    businessSegment: row.business_segment,
    prices: row.prices.map((price) => ({ currency: price.currency, amountMinor: BigInt(price.amount_minor) })),
    minQuantity: row.min_quantity,
    published: row.published,
    archived: row.archived,
    delivery: {
      method: row.delivery.method,
      oneCodePer: row.delivery.one_code_per,
      sendMail: row.delivery.send_mail,
      showOnOrderPage: row.delivery.show_on_order_page,
      lowWaterMark: row.delivery.low_water_mark,
    },
    subscription:
      row.subscription === null
        ? undefined
        : {
            type: row.subscription.type,
            period: row.subscription.period,
            trialPeriod: row.subscription.trial_period,
            renewalPrice: row.subscription.renewal_price,
          },
    metadata: row.metadata,
    createdAt: row.created_at,
  };
}
