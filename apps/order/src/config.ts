import { z } from 'zod';

export const settings = z.object({
  CHECKOUT_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => new URL(url).origin)
    .default('http://127.0.0.1:4001')
    .describe('Where customers reach the pages; links to orders begin with it.'),
});

export type Config = z.infer<typeof settings>;
