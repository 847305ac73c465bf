/** What orders ask the merchant service: shops and goods. */
import type {
  Merchant,
  MerchantApiService,
  Product,
  SubscriptionPlan,
} from '@tillstream/proto/merchant/v1/merchant_api';
import type { Client } from '@tillstream/rpc/client';
import type { Goods, Plan } from '../domain/cart.ts';
import type { CatalogueReader, ShopFacts } from '../ports.ts';

const shopAgeMs = 1_000;
const mostShops = 10_000;

export class Catalogue implements CatalogueReader {
  readonly #merchant: Client<typeof MerchantApiService>;
  readonly #shops = new Map<string, { readonly shop: ShopFacts; readonly untilMs: number }>();

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
  async shop(merchantId: string, call: { readonly deadlineMs?: number } = {}): Promise<ShopFacts> {
    const shop = (await this.shops([merchantId], call)).get(merchantId);
    if (shop === undefined) throw new Error(`there is no merchant ${merchantId}`);
    return shop;
  }

  /** The same for many, in one question for those that are not known; who does not exist is left out. */
  async shops(
    merchantIds: readonly string[],
    call: { readonly deadlineMs?: number } = {},
  ): Promise<ReadonlyMap<string, ShopFacts>> {
    const wanted = [...new Set(merchantIds)];
    const at = performance.now();
    const shops = new Map<string, ShopFacts>();
    for (const id of wanted) {
      const known = this.#shops.get(id);
      if (known !== undefined && known.untilMs > at) shops.set(id, known.shop);
    }
    const unknown = wanted.filter((id) => !shops.has(id));
    if (unknown.length === 0) return shops;
    const { merchants } = await this.#merchant.getMerchants({ merchantIds: unknown }, call);
    if (this.#shops.size + merchants.length > mostShops) this.#shops.clear();
    for (const merchant of merchants) {
      const shop = toShop(merchant);
      shops.set(merchant.id, shop);
      this.#shops.set(merchant.id, { shop, untilMs: performance.now() + shopAgeMs });
    }
    return shops;
  }
}

function toGoods(product: Product): Goods {
  const { delivery, name, familyName, vendorCode, sku, businessSegment } = product;
  return {
    id: product.id,
    snapshot: {
      name,
      familyName,
      vendorCode,
      sku,
      businessSegment,
      deliveryMethod: delivery?.method ?? 'pool',
      oneCodePer: delivery?.oneCodePer ?? 'unit',
      sendMail: delivery?.sendMail ?? true,
      showOnOrderPage: delivery?.showOnOrderPage ?? true,
    },
    description: product.description,
    imageUrl: product.imageUrl,
    minQuantity: product.minQuantity,
    isForSale: product.published && !product.archived,
    prices: new Map(product.prices.map((price) => [price.currency, price.amountMinor])),
    plan: toPlan(product.subscription),
  };
}

const planTypes = ['AR', 'AR_TRIAL', 'PMR'] as const;

/** A type that is not known here yet is bought without renewals. */
function toPlan(plan: SubscriptionPlan | undefined): Plan | undefined {
  const type = planTypes.find((each) => each === plan?.type);
  if (plan === undefined || type === undefined) return undefined;
  const { period, trialPeriod } = plan;
  return { type, period, trialPeriod, renewalPrice: plan.renewalPrice === 'current' ? 'current' : 'snapshot' };
}

function toShop(merchant: Merchant): ShopFacts {
  const { policies } = merchant;
  return {
    ...merchant,
    merchantId: merchant.id,
    commissionBp: policies?.commissionBp ?? 0,
    renewalConsent: policies?.renewalConsent === 'implicit' ? 'implicit' : 'switch',
    renewalConsentDefault: policies?.renewalConsentDefault ?? false,
    unpaidOrderReminders: policies?.unpaidOrderReminders ?? [],
    paymentExpiryMinutes: policies?.paymentExpiryMinutes ?? 0,
  };
}
