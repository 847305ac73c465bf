import { httpLimitSettings } from '@tillstream/service/http-limits';
import { z } from 'zod';

const origins = z
  .string()
  .default('')
  .transform((text) => text.split(/[\s,]+/).filter((each) => each !== ''))
  .pipe(z.array(z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin)));

export const settings = z.object({
  ...httpLimitSettings.shape,
  CHECKOUT_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => new URL(url).origin)
    .describe('Where customers reach these pages, such as https://shop.example. With https, cookies are Secure.'),
  PAYMENT_PAGE_ORIGINS: origins.describe(
    'Origins of the payment providers’ own pages, separated by commas. Customers are sent nowhere else.',
  ),
  TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((each) => each !== ''))
    .describe('Addresses or networks of proxies whose X-Forwarded-For is believed. Empty = none.'),
  POSTS_PER_TEN_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .default(250)
    .describe('How many forms and checkout links one address may send in ten seconds. 0 = no limit.'),
});

export type Config = z.infer<typeof settings>;
