/** What there is before a history begins: a merchant with products of each kind, codes to sell, and two receivers. */
import { clientsOver, type Clients } from '@tillstream/gateway/app';
import { homes } from './product.ts';
import type { World } from './world.ts';

export const goods = ['single', 'by product', 'monthly', 'trial', 'by hand'] as const;
export type Good = (typeof goods)[number];

export interface Shop {
  readonly merchantId: string;
  readonly products: Readonly<Record<Good, string>>;
  /** By the receiver's host. */
  readonly webhookSecrets: ReadonlyMap<string, string>;
}

const receiverHosts = ['first.example', 'second.example'];
const priceMinor = 10_000n;

/** Codes are words that must be found nowhere but with the buyer. */
export function codeOf(good: string, number: number): string {
  return `CANARY-${good.replaceAll(' ', '').toUpperCase()}-${String(number).padStart(4, '0')}`;
}

export function clientsOf(world: World): Clients {
  return clientsOver((target) => world.exchange.channel(homes[target].name));
}

export async function openShop(world: World, codesEach: number): Promise<Shop> {
  const { merchant, fulfillment, webhook } = clientsOf(world);
  const account = await merchant.createAccount({
    accountName: 'simulated',
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
    const codes = Array.from({ length: codesEach }, (_, at) => codeOf(good, at));
    await fulfillment.addLicenceCodes({ merchantId, productId: products[good], codes, lowWaterMark: 2 });
  }
  const webhookSecrets = new Map<string, string>();
  for (const host of receiverHosts) {
    const { secrets } = await webhook.createEndpoint({
      merchantId,
      livemode: false,
      url: `https://${host}/hooks`,
      events: [],
      description: '',
      signSeed: true,
      signStandard: true,
      seedSecret: '',
      metadata: {},
      requestId: '',
    });
    webhookSecrets.set(host, secrets?.standard ?? '');
  }
  return { merchantId, products, webhookSecrets };
}

function planOf(good: Good) {
  const plan = { trialPeriod: '', renewalPrice: 'snapshot' };
  if (good === 'monthly') return { ...plan, type: 'AR', period: 'P1M' };
  if (good === 'trial') return { ...plan, type: 'AR_TRIAL', period: 'P1M', trialPeriod: 'P14D' };
  if (good === 'by hand') return { ...plan, type: 'PMR', period: 'P1M' };
  return undefined;
}
