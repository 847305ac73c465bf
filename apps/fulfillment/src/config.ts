import { z } from 'zod';

export const settings = z.object({
  VAULT_KEYS: z
    .string()
    .min(1)
    .describe(
      'Keys that seal licence codes, "id:base64 of 32 bytes", separated by commas: the first seals, all open. To rotate, put a new one in front and start; leave the last one, it recognises duplicates.',
    ),
});

export type Config = z.infer<typeof settings>;
