/** What products cost now. */
import type { MerchantApiService } from '@tillstream/proto/merchant/v1/merchant_api';
import type { Client } from '@tillstream/rpc/client';
import type { PriceQuestion } from './subscriptions.ts';

export type PriceSource = Pick<Client<typeof MerchantApiService>, 'getProducts'>;

// What one question may hold.
const mostProducts = 200;

/** By subscription, per unit. A product that is gone or has no price in the currency is left out. */
export async function askPrices(
  merchant: PriceSource,
  questions: readonly PriceQuestion[],
): Promise<ReadonlyMap<string, bigint>> {
  const prices = new Map<string, bigint>();
  for (const [merchantId, ofMerchant] of Map.groupBy(questions, (question) => question.merchantId)) {
    const productIds = [...new Set(ofMerchant.map((question) => question.productId))];
    const known = new Map<string, ReadonlyMap<string, bigint>>();
    for (let from = 0; from < productIds.length; from += mostProducts) {
      const asked = productIds.slice(from, from + mostProducts);
      const { products } = await merchant.getProducts({ merchantId, productIds: asked });
      for (const product of products)
        known.set(product.id, new Map(product.prices.map((price) => [price.currency, price.amountMinor])));
    }
    for (const { subscriptionId, productId, currency } of ofMerchant) {
      const price = known.get(productId)?.get(currency);
      if (price !== undefined) prices.set(subscriptionId, price);
    }
  }
  return prices;
}
