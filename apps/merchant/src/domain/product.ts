/** What a product may be. Refusals name the field as the public API calls it. */
import { isCurrency } from '@tillstream/money/money';
import { complainAboutPlan, type SubscriptionPlan } from './subscription-plan.ts';

export interface Price {
  readonly currency: string;
  readonly amountMinor: bigint;
}

export interface DeliveryRules {
  /** Only pools of licence codes so far. */
  readonly method: string;
  readonly oneCodePer: string;
  readonly sendMail: boolean;
  readonly showOnOrderPage: boolean;
  readonly lowWaterMark: number;
}

export interface ProductDraft {
  readonly name: string;
  readonly familyName: string;
  readonly description: string;
  readonly imageUrl: string;
  readonly vendorCode: string;
  readonly sku: string;
  readonly businessSegment: string;
  readonly prices: readonly Price[];
  readonly minQuantity: number;
  readonly published: boolean;
  readonly archived: boolean;
  readonly delivery: DeliveryRules;
  /** Undefined when it does not renew. */
  readonly subscription: SubscriptionPlan | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Complaint {
  readonly param: string;
  readonly code: 'required' | 'too_long' | 'invalid_field' | 'period_not_allowed' | 'delivery_method_not_supported';
  readonly detail: string;
}

const lengths = {
  name: 255,
  family_name: 255,
  description: 4_000,
  image_url: 500,
  vendor_code: 100,
  sku: 100,
} as const;
// A thousand million of any currency; sums of a full cart stay far below 2^63.
const highestMinor = 1_000_000_000_000n;
const mostPrices = 20;
const highestQuantity = 10_000;
const mostMetadata = 50;

export function complainAbout(draft: ProductDraft): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (param: string, code: Complaint['code'], detail: string) => complaints.push({ param, code, detail });
  const texts = {
    name: draft.name,
    family_name: draft.familyName,
    description: draft.description,
    image_url: draft.imageUrl,
    vendor_code: draft.vendorCode,
    sku: draft.sku,
  };

  if (draft.name.trim() === '') complain('name', 'required', 'A product needs a name.');
  for (const [param, most] of Object.entries(lengths)) {
    const text = texts[param as keyof typeof lengths];
    if (text.length > most) complain(param, 'too_long', `At most ${most} characters.`);
  }
  if (draft.imageUrl !== '' && !draft.imageUrl.startsWith('https://'))
    complain('image_url', 'invalid_field', 'An image is shown from an https address only.');
  if (draft.businessSegment !== 'b2c' && draft.businessSegment !== 'b2b')
    complain('business_segment', 'invalid_field', 'b2c or b2b.');
  if (draft.minQuantity < 1 || draft.minQuantity > highestQuantity)
    complain('min_quantity', 'invalid_field', `From 1 to ${highestQuantity}.`);

  if (draft.prices.length === 0) complain('prices', 'required', 'A product needs at least one price.');
  if (draft.prices.length > mostPrices) complain('prices', 'invalid_field', `At most ${mostPrices} prices.`);
  const seen = new Set<string>();
  draft.prices.forEach((price, at) => {
    if (!isCurrency(price.currency))
      complain(`prices[${at}].currency`, 'invalid_field', 'An ISO 4217 code in capitals, such as EUR.');
    if (seen.has(price.currency)) complain(`prices[${at}].currency`, 'invalid_field', 'One price per currency.');
    seen.add(price.currency);
    if (price.amountMinor <= 0n || price.amountMinor > highestMinor)
      complain(`prices[${at}].amount`, 'invalid_field', `From 1 to ${highestMinor} minor units.`);
  });

  if (draft.delivery.method !== 'pool')
    complain('delivery.method', 'delivery_method_not_supported', 'Only pool is supported.');
  if (draft.delivery.oneCodePer !== 'unit' && draft.delivery.oneCodePer !== 'product')
    complain('delivery.one_code_per', 'invalid_field', 'unit or product.');
  if (draft.delivery.lowWaterMark < 0 || draft.delivery.lowWaterMark > 1_000_000)
    complain('delivery.low_water_mark', 'invalid_field', 'From 0 to 1,000,000.');

  if (draft.subscription !== undefined) complaints.push(...complainAboutPlan(draft.subscription));

  const entries = Object.entries(draft.metadata);
  if (entries.length > mostMetadata) complain('metadata', 'invalid_field', `At most ${mostMetadata} entries.`);
  for (const [key, value] of entries) {
    if (key === '' || key.length > 40) complain('metadata', 'invalid_field', 'Keys have 1 to 40 characters.');
    if (value.length > 500) complain(`metadata.${key.slice(0, 40)}`, 'too_long', 'At most 500 characters.');
  }
  return complaints;
}
