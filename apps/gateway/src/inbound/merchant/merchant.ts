/** The shop's own settings. */
import type { Merchant } from '@tillstream/proto/merchant/v1/merchant_api';
import { instant, madeAt, wholeNumber } from '@tillstream/public-api/values';
import { Refused } from '@tillstream/rpc/refusals';
import { z } from 'zod';
import type { Clients } from '../clients.ts';
import type { Api } from '../http/api.ts';
import { tenantOf } from '../http/tenant.ts';
import { problems, says } from '../shapes.ts';

const commissionWords = 'Of the platform, in basis points, taken off the margin.';
const consentWords =
  'How customers agree to renewals. switch: a box to tick; without it nothing renews. implicit: a sentence next to the button.';
const consentDefaultWords = 'Whether the box is ticked at first.';
const remindersWords =
  'When a customer is reminded of an unpaid order, counted from its creation: ISO 8601 durations, at most 5, growing, under 90 days. Empty = never.';
const expiryWords =
  'How long a customer has to begin to pay on the provider’s page, in minutes. Then the payment expires, and another can be begun.';

const shop = z
  .object({
    id: z.string(),
    object: z.literal('merchant'),
    livemode: z.boolean(),
    name: z.string().describe('As customers know the shop.'),
    time_zone: z.string().describe('IANA; dates in webhooks are written in it.'),
    locale: z.string(),
    currencies: z.array(z.string()),
    support: z.object({ email: z.string(), url: z.string() }),
    terms_url: z.string(),
    privacy_url: z.string(),
    policies: z.object({
      commission_bp: wholeNumber.describe(commissionWords),
      renewal_consent: z.string().describe(consentWords),
      renewal_consent_default: z.boolean().describe(consentDefaultWords),
      unpaid_order_reminders: z.array(z.string()).describe(remindersWords),
      payment_expiry_minutes: wholeNumber.describe(expiryWords),
    }),
    created_at: instant,
  })
  .meta({ id: 'Merchant' });

const change = z.strictObject({
  name: z.string().max(200).optional(),
  time_zone: z.string().max(64).optional(),
  locale: z.string().max(35).optional(),
  currencies: z.array(z.string().max(3)).min(1).max(50).optional(),
  support: z.strictObject({ email: z.string().max(254).optional(), url: z.string().max(500).optional() }).optional(),
  terms_url: z.string().max(500).optional(),
  privacy_url: z.string().max(500).optional(),
  policies: z
    .strictObject({
      commission_bp: z.int().min(0).max(10_000).describe(commissionWords),
      renewal_consent: z.enum(['switch', 'implicit']).describe(consentWords),
      renewal_consent_default: z.boolean().describe(consentDefaultWords),
      unpaid_order_reminders: z
        .array(z.string().max(32))
        .max(5)
        .describe(`${remindersWords} Replaces the list; holds for orders that are placed from now on.`)
        .meta({ examples: [['PT12H', 'P3D']] }),
      payment_expiry_minutes: z
        .int()
        .min(5)
        .max(1_440)
        .describe(`${expiryWords} Holds for payments that are begun from now on.`)
        .meta({ examples: [30] }),
    })
    .partial()
    .optional(),
});

export function addMerchant(api: Api, { merchant }: Pick<Clients, 'merchant'>): void {
  api.get(
    '/merchant',
    { schema: { ...says('Merchant', 'getMerchant', 'Your shop'), response: { 200: shop, ...problems } } },
    async (request) => {
      const { merchants } = await merchant.getMerchants({ merchantIds: [tenantOf(request).merchantId] });
      return show(merchants[0]);
    },
  );

  api.patch(
    '/merchant',
    {
      schema: {
        ...says(
          'Merchant',
          'updateMerchant',
          'Change your shop',
          'What is left out stays as it is; test and live mode have settings of their own.',
        ),
        body: change,
        response: { 200: shop, ...problems },
      },
    },
    async (request) => {
      const { body } = request;
      const reminders = body.policies?.unpaid_order_reminders;
      const answer = await merchant.updateMerchant({
        merchantId: tenantOf(request).merchantId,
        shopName: body.name,
        timeZone: body.time_zone,
        locale: body.locale,
        currencies: body.currencies ?? [],
        supportEmail: body.support?.email,
        supportUrl: body.support?.url,
        termsUrl: body.terms_url,
        privacyUrl: body.privacy_url,
        commissionBp: body.policies?.commission_bp,
        renewalConsent: body.policies?.renewal_consent,
        renewalConsentDefault: body.policies?.renewal_consent_default,
        unpaidOrderReminders: reminders === undefined ? undefined : { after: reminders },
        paymentExpiryMinutes: body.policies?.payment_expiry_minutes,
      });
      return show(answer.merchant);
    },
  );
}

function show(found: Merchant | undefined): z.infer<typeof shop> {
  if (found === undefined) throw new Refused('merchant_not_found');
  return {
    id: found.id,
    object: 'merchant',
    livemode: found.livemode,
    name: found.shopName,
    time_zone: found.timeZone,
    locale: found.locale,
    currencies: found.currencies,
    support: { email: found.supportEmail, url: found.supportUrl },
    terms_url: found.termsUrl,
    privacy_url: found.privacyUrl,
    policies: {
      commission_bp: found.policies?.commissionBp ?? 0,
      renewal_consent: found.policies?.renewalConsent ?? 'switch',
      renewal_consent_default: found.policies?.renewalConsentDefault ?? false,
      unpaid_order_reminders: found.policies?.unpaidOrderReminders ?? [],
      payment_expiry_minutes: found.policies?.paymentExpiryMinutes ?? 30,
    },
    created_at: madeAt(found.createdAt),
  };
}
