/** What a merchant may set for the shop. */
import { isCurrency } from '@tillstream/money/money';
import type { Complaint } from './product.ts';
import { complainAboutReminders } from './reminders.ts';

export interface ShopSettings {
  readonly shopName: string;
  readonly timeZone: string;
  readonly locale: string;
  readonly currencies: readonly string[];
  readonly supportEmail: string;
  readonly supportUrl: string;
  readonly termsUrl: string;
  readonly privacyUrl: string;
  readonly commissionBp: number;
  /** switch: a box to tick; implicit: a sentence next to the button. */
  readonly renewalConsent: string;
  /** Whether the box is ticked at first. */
  readonly renewalConsentDefault: boolean;
  readonly unpaidOrderReminders: readonly string[];
  /** How long a customer has to begin to pay on the provider's page; then the payment expires [D11]. */
  readonly paymentExpiryMinutes: number;
}

// Shorter, and a customer who looks for the card loses the page.
const minExpiryMinutes = 5;
// Longer, and a page that is forgotten would hold an order open: one day.
const maxExpiryMinutes = 24 * 60;
/** Of a merchant that has not decided [D11]. */
export const defaultExpiryMinutes = 30;

export function complainAboutShop(shop: ShopSettings): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (param: string, code: Complaint['code'], detail: string) => complaints.push({ param, code, detail });
  if (shop.shopName.trim() === '') complain('shop_name', 'required', 'A shop needs a name.');
  if (shop.shopName.length > 200) complain('shop_name', 'too_long', 'At most 200 characters.');
  if (!isTimeZone(shop.timeZone)) complain('time_zone', 'invalid_field', 'An IANA time zone, such as Europe/Prague.');
  if (!isLocale(shop.locale)) complain('locale', 'invalid_field', 'A BCP 47 language tag, such as en or de-AT.');
  if (shop.currencies.length > 50 || shop.currencies.some((currency) => !isCurrency(currency)))
    complain('currencies', 'invalid_field', 'ISO 4217 codes in capitals.');
  if (shop.supportEmail !== '' && (!/^[^\s@]+@[^\s@]+$/.test(shop.supportEmail) || shop.supportEmail.length > 254))
    complain('support_email', 'invalid_field', 'An e-mail address.');
  for (const [param, url] of Object.entries({
    support_url: shop.supportUrl,
    terms_url: shop.termsUrl,
    privacy_url: shop.privacyUrl,
  })) {
    if (url !== '' && (!/^https:\/\/\S+$/.test(url) || url.length > 500))
      complain(param, 'invalid_field', 'An https address of at most 500 characters.');
  }
  if (!Number.isInteger(shop.commissionBp) || shop.commissionBp < 0 || shop.commissionBp > 10_000)
    complain('policies.commission_bp', 'invalid_field', 'From 0 to 10000.');
  if (shop.renewalConsent !== 'switch' && shop.renewalConsent !== 'implicit')
    complain('policies.renewal_consent', 'invalid_field', 'switch or implicit.');
  const badReminders = complainAboutReminders(shop.unpaidOrderReminders);
  if (badReminders !== undefined) complain('policies.unpaid_order_reminders', 'invalid_field', badReminders);
  const { paymentExpiryMinutes: expiry } = shop;
  if (!Number.isInteger(expiry) || expiry < minExpiryMinutes || expiry > maxExpiryMinutes)
    complain(
      'policies.payment_expiry_minutes',
      'invalid_field',
      `Whole minutes, from ${minExpiryMinutes} to ${maxExpiryMinutes}.`,
    );
  return complaints;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name.length <= 64;
  } catch {
    return false;
  }
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1 && tag.length <= 35;
  } catch {
    return false;
  }
}
