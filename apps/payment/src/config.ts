import { z } from 'zod';

export const settings = z.object({
  SANDBOX_URL: z.string().optional().describe('The sandbox’s API, for test mode. Empty = no payments in test mode.'),
  SANDBOX_SECRET: z
    .string()
    .optional()
    .describe('The installation’s secret at the sandbox; each merchant’s API key there is derived from it.'),
  SANDBOX_CALLBACK_SECRET: z
    .string()
    .optional()
    .describe('The secrets with which the sandbox signs a merchant’s callbacks are derived from it.'),
  CALLBACK_BASE_URL: z
    .string()
    .default('http://127.0.0.1:4000')
    .describe('Where providers reach the gateway; /provider_callbacks/<account> is added.'),
  VAULT_KEYS: z
    .string()
    .min(1)
    .describe(
      'Keys that seal merchants’ credentials at providers, "id:base64 of 32 bytes", separated by commas: the first seals, all open. To rotate, put a new one in front and start.',
    ),
});

export type Config = z.infer<typeof settings>;
