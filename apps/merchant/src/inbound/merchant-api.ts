/** Answers MerchantApi: checks, asks the stores, refuses. The stores are named by what this room needs of them. */
import type { Clock } from '@tillstream/messaging/clock';
import type {
  ApiKey,
  CreateProductRequest,
  Merchant,
  MerchantApiService,
  Page,
  Product,
  SubscriptionPlan,
  UpdateProductRequest,
} from '@tillstream/proto/merchant/v1/merchant_api';
import { Refused } from '@tillstream/rpc/refusals';
import type { Handlers } from '@tillstream/rpc/server';
import { complainAbout, type Complaint, type ProductDraft } from '../domain/product.ts';
import { complainAboutShop, defaultExpiryMinutes, type ShopSettings } from '../domain/settings.ts';

interface PageQuery {
  readonly limit: number;
  readonly startingAfter: string;
  readonly endingBefore: string;
}

export interface MerchantStores {
  readonly accounts: {
    open(
      name: string,
      shopName: string,
      supportEmail: string,
    ): Promise<{ testMerchantId: string; liveMerchantId: string; isNew: boolean }>;
    get(merchantIds: readonly string[]): Promise<readonly Merchant[]>;
    change(merchantId: string, settings: ShopSettings): Promise<Merchant | undefined>;
  };
  readonly keys: {
    create(
      merchantId: string,
      name: string,
      scopes: readonly string[],
      requestId: string,
    ): Promise<{ key: ApiKey; secret: string }>;
    authenticate(
      text: string,
      now: Date,
    ): Promise<
      | { merchantId: string; livemode: boolean; apiKeyId: string; scopes: string[] }
      | 'invalid_api_key'
      | 'revoked_api_key'
    >;
    list(merchantId: string, page: PageQuery): Promise<{ keys: readonly ApiKey[]; hasMore: boolean }>;
    revoke(merchantId: string, id: string, now: Date): Promise<ApiKey | undefined>;
  };
  readonly products: {
    create(merchantId: string, draft: ProductDraft, requestId: string): Promise<Product | undefined>;
    change(
      merchantId: string,
      productId: string,
      decide: (before: Product) => ProductDraft,
    ): Promise<Product | undefined>;
    get(merchantId: string, productIds: readonly string[]): Promise<readonly Product[]>;
    find(productId: string): Promise<Product | undefined>;
    list(
      merchantId: string,
      page: PageQuery,
      withArchived: boolean,
    ): Promise<{ products: readonly Product[]; hasMore: boolean }>;
  };
}

const knownScopes = new Set(['read', 'write']);
const mostIds = 200;

export function answerMerchantApi(stores: MerchantStores, clock: Clock): Handlers<typeof MerchantApiService> {
  const { accounts, keys, products } = stores;
  return {
    async createAccount(request) {
      if (request.accountName.trim() === '' || request.accountName.length > 200)
        throw new Refused('invalid_field', { param: 'account_name' });
      const shopName = request.shopName === '' ? request.accountName : request.shopName;
      const account = await accounts.open(request.accountName, shopName, request.supportEmail);
      const { testMerchantId, liveMerchantId } = account;
      const testApiKey = account.isNew
        ? (await keys.create(testMerchantId, 'First key', ['read', 'write'], '')).secret
        : '';
      return { testMerchantId, liveMerchantId, testApiKey };
    },
    async authenticate(request) {
      const answer = await keys.authenticate(request.apiKey, clock.now(''));
      if (typeof answer === 'string') throw new Refused(answer);
      return answer;
    },
    async getMerchants(request) {
      return { merchants: [...(await accounts.get(request.merchantIds.slice(0, mostIds)))] };
    },
    async updateMerchant(request) {
      const [before] = await accounts.get([request.merchantId]);
      if (before === undefined) throw new Refused('merchant_not_found');
      const settings: ShopSettings = {
        shopName: request.shopName ?? before.shopName,
        timeZone: request.timeZone ?? before.timeZone,
        locale: request.locale ?? before.locale,
        currencies: request.currencies.length === 0 ? before.currencies : [...new Set(request.currencies)],
        supportEmail: request.supportEmail ?? before.supportEmail,
        supportUrl: request.supportUrl ?? before.supportUrl,
        termsUrl: request.termsUrl ?? before.termsUrl,
        privacyUrl: request.privacyUrl ?? before.privacyUrl,
        commissionBp: request.commissionBp ?? before.policies?.commissionBp ?? 0,
        renewalConsent: request.renewalConsent ?? before.policies?.renewalConsent ?? '',
        renewalConsentDefault: request.renewalConsentDefault ?? before.policies?.renewalConsentDefault ?? false,
        unpaidOrderReminders: request.unpaidOrderReminders?.after ?? before.policies?.unpaidOrderReminders ?? [],
        paymentExpiryMinutes:
          request.paymentExpiryMinutes ?? before.policies?.paymentExpiryMinutes ?? defaultExpiryMinutes,
      };
      refuseFor(complainAboutShop(settings));
      return { merchant: await accounts.change(request.merchantId, settings) };
    },
    async createApiKey(request) {
      if (request.name.length > 100) throw new Refused('too_long', { param: 'name' });
      if (request.scopes.length === 0 || request.scopes.some((scope) => !knownScopes.has(scope))) {
        throw new Refused('invalid_field', { param: 'scopes', detail: 'At least one of read and write.' });
      }
      const { key, secret } = await keys.create(
        request.merchantId,
        request.name,
        [...new Set(request.scopes)],
        request.requestId,
      );
      return { apiKey: key, secret };
    },
    async listApiKeys(request) {
      const { keys: apiKeys, hasMore } = await keys.list(request.merchantId, pageOf(request.page));
      return { apiKeys: [...apiKeys], hasMore };
    },
    async revokeApiKey(request) {
      const apiKey = await keys.revoke(request.merchantId, request.apiKeyId, clock.now(request.merchantId));
      if (apiKey === undefined) throw new Refused('api_key_not_found');
      return { apiKey };
    },
    async createProduct(request) {
      const draft = draftOf(request);
      refuseFor(complainAbout(draft));
      const product = await products.create(request.merchantId, draft, request.requestId);
      if (product === undefined) throw new Refused('merchant_not_found');
      return { product };
    },
    async updateProduct(request) {
      const product = await products.change(request.merchantId, request.productId, (before) => {
        const draft = changed(before, request);
        refuseFor(complainAbout(draft));
        return draft;
      });
      if (product === undefined) throw new Refused('product_not_found');
      return { product };
    },
    async listProducts(request) {
      const { products: found, hasMore } = await products.list(
        request.merchantId,
        pageOf(request.page),
        request.withArchived,
      );
      return { products: [...found], hasMore };
    },
    async getProducts(request) {
      return { products: [...(await products.get(request.merchantId, request.productIds.slice(0, mostIds)))] };
    },
    async findProduct(request) {
      const product = await products.find(request.productId);
      if (product === undefined) throw new Refused('product_not_found');
      return { product };
    },
  };
}

function refuseFor(complaints: readonly Complaint[]): void {
  const [first] = complaints;
  if (first !== undefined)
    throw new Refused(first.code, { param: first.param, detail: first.detail, fields: complaints });
}

function pageOf(page: Page | undefined): PageQuery {
  return page ?? { limit: 20, startingAfter: '', endingBefore: '' };
}

function draftOf(request: CreateProductRequest): ProductDraft {
  return {
    ...request,
    businessSegment: request.businessSegment === '' ? 'b2c' : request.businessSegment,
    minQuantity: request.minQuantity === 0 ? 1 : request.minQuantity,
    archived: false,
    delivery: request.delivery ?? {
      method: 'pool',
      oneCodePer: 'unit',
      sendMail: true,
      showOnOrderPage: true,
      lowWaterMark: 0,
    },
    subscription: planOf(request.subscription),
  };
}

function planOf(plan: SubscriptionPlan | undefined): SubscriptionPlan | undefined {
  return plan && { ...plan, renewalPrice: plan.renewalPrice === '' ? 'snapshot' : plan.renewalPrice };
}

function changed(before: Product, request: UpdateProductRequest): ProductDraft {
  return {
    name: request.name ?? before.name,
    familyName: request.familyName ?? before.familyName,
    description: request.description ?? before.description,
    imageUrl: request.imageUrl ?? before.imageUrl,
    vendorCode: request.vendorCode ?? before.vendorCode,
    sku: request.sku ?? before.sku,
    businessSegment: request.businessSegment ?? before.businessSegment,
    prices: request.prices.length === 0 ? before.prices : request.prices,
    minQuantity: request.minQuantity ?? before.minQuantity,
    published: request.published ?? before.published,
    archived: request.archived ?? before.archived,
    delivery: request.delivery ??
      before.delivery ?? { method: 'pool', oneCodePer: 'unit', sendMail: true, showOnOrderPage: true, lowWaterMark: 0 },
    subscription: request.subscription === undefined ? before.subscription : planOf(request.subscription.plan),
    metadata: request.metadata?.entries ?? before.metadata,
  };
}
