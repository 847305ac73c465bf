import { httpLimitSettings } from '@tillstream/service/http-limits';
import { z } from 'zod';

const rate = (most: number, what: string) => z.coerce.number().int().min(1).max(1_000_000).default(most).describe(what);

export const settings = z.object({
  ...httpLimitSettings.shape,
  CHECKOUT_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .describe('Where customers reach the checkout pages, such as https://shop.example. Checkout links begin with it.'),
  VAULT_KEYS: z
    .string()
    .describe(
      'The keys that seal stored answers, "id:base64" of 32 bytes each, separated by commas. The first seals, all open.',
    ),
  WRITES_PER_SECOND: rate(100, 'How many POST, PATCH and DELETE one API key may send in a second.'),
  READS_PER_SECOND: rate(200, 'How many GET one API key may send in a second.'),
  CALLBACKS_PER_SECOND: rate(500, 'How many provider callbacks one address may send in a second.'),
  BAD_KEYS_PER_MINUTE: rate(120, 'How often in a minute one address may present an API key that is not valid.'),
  TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter((each) => each !== ''))
    .describe('Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas. Empty = none.'),
});

export type Config = z.infer<typeof settings>;
