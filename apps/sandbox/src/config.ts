import { httpLimitSettings } from '@tillstream/service/http-limits';
import { z } from 'zod';

export const settings = z.object({
  ...httpLimitSettings.shape,
  SANDBOX_SECRET: z.string().min(16).describe('The bearer secret of the sandbox’s API.'),
  SANDBOX_CALLBACK_SECRET: z.string().min(16).describe('Signs the callbacks.'),
  SANDBOX_CALLBACK_URL: z.string().describe('Where callbacks go when a payment names no other place.'),
  SANDBOX_PUBLIC_URL: z.string().describe('Where customers reach the card page.'),
  SANDBOX_FILE: z.string().optional().describe('The books, as JSON lines. Empty = in memory only.'),
  SANDBOX_SILENCE_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(3_000)
    .describe('How long the outcome of a card that gets no answer stays unknown.'),
});

export type Config = z.infer<typeof settings>;
