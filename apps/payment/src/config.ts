import { z } from 'zod';

export const settings = z.object({
  SANDBOX_URL: z.string().optional().describe('The sandbox’s API, for test mode. Empty = no payments in test mode.'),
  SANDBOX_SECRET: z.string().optional().describe('The bearer secret of the sandbox’s API.'),
  SANDBOX_CALLBACK_SECRET: z.string().optional().describe('What the sandbox signs its callbacks with.'),
  CALLBACK_BASE_URL: z
    .string()
    .default('http://127.0.0.1:4000')
    .describe('Where providers reach the gateway; /provider_callbacks/<name> is added.'),
});

export type Config = z.infer<typeof settings>;
