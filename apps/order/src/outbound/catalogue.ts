/** What orders ask the merchant service: shops and goods. */
import type { Merchant, MerchantApiService, Product } from '@tillstream/proto/merchant/v1/merchant_api';
import type { Client } from '@tillstream/rpc/client';
import type { Goods } from '../domain/cart.ts';

export interface Shop {
  readonly merchantId: string;
  readonly livemode: boolean;
  readonly shopName: string;
  readonly timeZone: string;
  readonly locale: string;
  readonly currencies: readonly string[];
  readonly supportEmail: string;
  readonly supportUrl: string;
  readonly termsUrl: string;
  readonly privacyUrl: string;
  readonly commissionBp: number;
}

const shopAgeMs = 1_000;
const mostShops = 10_000;

export class Catalogue {
  readonly #merchant: Client<typeof MerchantApiService>;
  readonly #shops = new Map<string, { readonly shop: Shop; readonly untilMs: number }>();

  constructor(merchant: Client<typeof MerchantApiService>) {
    this.#merchant = merchant;
  }

  /** Refused with product_not_found. */
  async find(productId: string): Promise<{ merchantId: string; livemode: boolean; goods: Goods }> {
    const { product } = await this.#merchant.findProduct({ productId });
    if (product === undefined) throw new Error('findProduct answered nothing');
    return { merchantId: product.merchantId, livemode: product.livemode, goods: toGoods(product) };
  }

  /** By product id; those that are gone are left out. */
  async goods(merchantId: string, productIds: readonly string[]): Promise<ReadonlyMap<string, Goods>> {
    if (productIds.length === 0) return new Map();
    const { products } = await this.#merchant.getProducts({ merchantId, productIds: [...productIds] });
    return new Map(products.map((product) => [product.id, toGoods(product)]));
  }

  /** As it was at most a second ago: every page and every step asks for it, and what it says seldom changes. */
  async shop(merchantId: string): Promise<Shop> {
    const known = this.#shops.get(merchantId);
    if (known !== undefined && known.untilMs > performance.now()) return known.shop;
    const shop = await this.#askForShop(merchantId);
    if (this.#shops.size >= mostShops) this.#shops.clear();
    this.#shops.set(merchantId, { shop, untilMs: performance.now() + shopAgeMs });
    return shop;
  }

  async #askForShop(merchantId: string): Promise<Shop> {
    const { merchants } = await this.#merchant.getMerchants({ merchantIds: [merchantId] });
    const [merchant] = merchants;
    if (merchant === undefined) throw new Error(`there is no merchant ${merchantId}`);
    return toShop(merchant);
  }
}

function toGoods(product: Product): Goods {
  const delivery = product.delivery;
  return {
    id: product.id,
    name: product.name,
    familyName: product.familyName,
    description: product.description,
    imageUrl: product.imageUrl,
    vendorCode: product.vendorCode,
    sku: product.sku,
    businessSegment: product.businessSegment,
    minQuantity: product.minQuantity,
    isForSale: product.published && !product.archived,
    prices: new Map(product.prices.map((price) => [price.currency, price.amountMinor])),
    deliveryMethod: delivery?.method ?? 'pool',
    oneCodePer: delivery?.oneCodePer ?? 'unit',
    sendMail: delivery?.sendMail ?? true,
    showOnOrderPage: delivery?.showOnOrderPage ?? true,
  };
}

function toShop(merchant: Merchant): Shop {
  return { ...merchant, merchantId: merchant.id, commissionBp: merchant.policies?.commissionBp ?? 0 };
}
