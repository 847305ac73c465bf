/** Carts: rows found by an unguessable id. */
import { randomBytes } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { gatherEach } from '@tillstream/messaging/gather';
import { sql, type Selectable } from 'kysely';
import type { CartLine } from '../domain/cart.ts';
import type { Cart, CartContent, CartStore } from '../ports.ts';
import type { OrderTables } from './tables.ts';

type CartRow = Selectable<OrderTables['cart']>;

interface NewCart {
  readonly cartId: string;
  readonly livemode: boolean;
  readonly content: CartContent;
}

const isCartId = /^[0-9a-f]{32}$/;

export class Carts implements CartStore {
  readonly #database: Database<OrderTables>;

  readonly #anyones: (lane: string, cartId: string) => Promise<Cart | undefined>;
  readonly #created: (merchantId: string, cart: NewCart) => Promise<Cart>;

  constructor(database: Database<OrderTables>) {
    this.#database = database;
    this.#anyones = gatherEach((ids) => this.#read(ids));
    this.#created = gatherEach((carts, merchantId) => this.#insert(merchantId, carts));
  }

  async find(cartId: string): Promise<Cart | undefined> {
    return isCartId.test(cartId) ? this.#anyones('', cartId) : undefined;
  }

  async #read(cartIds: readonly string[]): Promise<readonly (Cart | undefined)[]> {
    const rows = await this.#database.everyMerchantStatement('the cart’s id is what lets a customer in', (tx) =>
      tx
        .selectFrom('cart')
        .where(sql<boolean>`cart_id = any (${cartIds}::text[])`)
        .selectAll()
        .execute(),
    );
    const byId = new Map(rows.map((row) => [row.cart_id, toCart(row)]));
    return cartIds.map((id) => byId.get(id));
  }

  create(merchantId: string, livemode: boolean, content: CartContent): Promise<Cart> {
    return this.#created(merchantId, { livemode, content, cartId: randomBytes(16).toString('hex') });
  }

  async #insert(merchantId: string, carts: readonly NewCart[]): Promise<readonly Cart[]> {
    const { rows } = await this.#database.statement([merchantId], (one) =>
      sql<CartRow>`
        insert into cart (cart_id, merchant_id, livemode, currency, locale, lines, external_id, additional_data)
        select t.cart_id, ${merchantId}::uuid, t.livemode, t.currency, t.locale, t.lines, t.external_id, t.additional_data from unnest(
          ${carts.map((cart) => cart.cartId)}::text[], ${carts.map((cart) => cart.livemode)}::boolean[],
          ${carts.map((cart) => cart.content.currency)}::text[], ${carts.map((cart) => cart.content.locale)}::text[],
          ${carts.map((cart) => store(cart.content.lines))}::jsonb[], ${carts.map((cart) => cart.content.externalId)}::text[],
          ${carts.map((cart) => JSON.stringify(cart.content.additionalData))}::jsonb[])
          as t (cart_id, livemode, currency, locale, lines, external_id, additional_data)
        returning *`.execute(one),
    );
    const byId = new Map(rows.map((row) => [row.cart_id, row]));
    return carts.map(({ cartId }) => {
      const row = byId.get(cartId);
      if (row === undefined) throw new Error('a cart was not stored');
      return toCart(row);
    });
  }

  /** Undefined when it was changed or ordered since it was read. */
  async change(cart: Cart, content: CartContent): Promise<Cart | undefined> {
    const row = await this.#database.statement([cart.merchantId], (tx) =>
      tx
        .updateTable('cart')
        .set({
          currency: content.currency,
          locale: content.locale,
          lines: sql`${store(content.lines)}::jsonb`,
          external_id: content.externalId,
          additional_data: sql`${JSON.stringify(content.additionalData)}::jsonb`,
          version: cart.version + 1,
          touched_at: sql`now()`,
        })
        .where('cart_id', '=', cart.cartId)
        .where('version', '=', cart.version)
        .where('order_id', 'is', null)
        .returningAll()
        .executeTakeFirst(),
    );
    return row === undefined ? undefined : toCart(row);
  }

  /** Carts that nobody touched for a month; the order of one that was ordered keeps what matters. */
  async sweep(): Promise<number> {
    const { numAffectedRows } = await this.#database.everyMerchantStatement(
      'old carts of all merchants are removed',
      (tx) =>
        sql`delete from cart where cart_id = any (array(select cart_id from cart where touched_at < now() - interval '30 days' limit 1000))`.execute(
          tx,
        ),
    );
    return Number(numAffectedRows ?? 0n);
  }
}

function store(lines: readonly CartLine[]): string {
  return JSON.stringify(lines.map((line) => ({ product_id: line.productId, quantity: line.quantity })));
}

function toCart(row: CartRow): Cart {
  return {
    cartId: row.cart_id,
    merchantId: row.merchant_id,
    livemode: row.livemode,
    currency: row.currency,
    locale: row.locale,
    lines: row.lines.map((line) => ({ productId: line.product_id, quantity: line.quantity })),
    externalId: row.external_id,
    additionalData: row.additional_data,
    version: row.version,
    orderId: row.order_id ?? undefined,
    orderToken: row.order_token ?? undefined,
  };
}
