/**
 * What there is before a history begins: two merchants of the same name, each with products of each kind, codes to sell, and
 * two receivers.
 */
import { clientsOver, type Clients } from '@tillstream/gateway/app';
import { homes } from './product.ts';
import type { World } from './world.ts';

export const goods = ['single', 'by product', 'monthly', 'trial', 'by hand'] as const;
export type Good = (typeof goods)[number];

/** Most customers buy at the first. */
export const shopNames = ['first', 'other'] as const;
export type ShopName = (typeof shopNames)[number];

export interface Shop {
  readonly name: ShopName;
  readonly merchantId: string;
  readonly apiKey: string;
  readonly products: Readonly<Record<Good, string>>;
  /** By the receiver's host. */
  readonly webhookSecrets: ReadonlyMap<string, string>;
}

export type Shops = Readonly<Record<ShopName, Shop>>;

export function shopOf(shops: Shops, merchantId: string): Shop {
  const found = Object.values(shops).find((shop) => shop.merchantId === merchantId);
  if (found === undefined) throw new Error(`no shop is ${merchantId}`);
  return found;
}

const receivers = ['one', 'two'];
const priceMinor = 10_000n;

/** Codes are words that must be found nowhere but with the buyer. */
export function codeOf(shop: ShopName, good: string, number: number): string {
  return `CANARY-${shop}${good.replaceAll(' ', '')}-`.toUpperCase() + String(number).padStart(4, '0');
}

export function clientsOf(world: World): Clients {
  return clientsOver((target) => world.exchange.channel(homes[target].name));
}

export async function openShops(world: World, codesEach: number): Promise<Shops> {
  return { first: await openShop(world, 'first', codesEach), other: await openShop(world, 'other', codesEach) };
}

async function openShop(world: World, name: ShopName, codesEach: number): Promise<Shop> {
  const { merchant, fulfillment, webhook } = clientsOf(world);
  const account = await merchant.createAccount({
    accountName: `simulated ${name}`,
    shopName: 'Simulated shop',
    supportEmail: 'support@merchant.example',
  });
  const merchantId = account.testMerchantId;
  await merchant.updateMerchant({ merchantId, currencies: [], unpaidOrderReminders: { after: ['P1D', 'P7D'] } });
  const products = { single: '', 'by product': '', monthly: '', trial: '', 'by hand': '' };
  for (const good of goods) {
    const { product } = await merchant.createProduct({
      merchantId,
      name: `The ${good} one`,
      familyName: '',
      description: '',
      imageUrl: '',
      vendorCode: good.toUpperCase(),
      sku: '',
      businessSegment: 'b2c',
      prices: [{ currency: 'EUR', amountMinor: priceMinor }],
      minQuantity: 1,
      published: true,
      delivery: {
        method: 'pool',
        oneCodePer: good === 'by product' ? 'product' : 'unit',
        sendMail: true,
        showOnOrderPage: true,
        lowWaterMark: 2,
      },
      metadata: {},
      requestId: '',
      subscription: planOf(good),
    });
    products[good] = product?.id ?? '';
    const codes = Array.from({ length: codesEach }, (_, at) => codeOf(name, good, at));
    await fulfillment.addLicenceCodes({ merchantId, productId: products[good], codes, lowWaterMark: 2, requestId: '' });
  }
  const webhookSecrets = new Map<string, string>();
  for (const receiver of receivers) {
    const host = `${receiver}.${name}.example`;
    const { secrets } = await webhook.createEndpoint({
      merchantId,
      livemode: false,
      url: `https://${host}/hooks`,
      events: [],
      description: '',
      signSeed: true,
      signStandard: true,
      seedSecret: '',
      payloadProfile: '',
      metadata: {},
      requestId: '',
    });
    webhookSecrets.set(host, secrets?.standard ?? '');
  }
  return { name, merchantId, apiKey: account.testApiKey, products, webhookSecrets };
}

function planOf(good: Good) {
  const plan = { trialPeriod: '', renewalPrice: 'snapshot' };
  if (good === 'monthly') return { ...plan, type: 'AR', period: 'P1M' };
  if (good === 'trial') return { ...plan, type: 'AR_TRIAL', period: 'P1M', trialPeriod: 'P14D' };
  if (good === 'by hand') return { ...plan, type: 'PMR', period: 'P1M' };
  return undefined;
}
