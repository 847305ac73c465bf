import { z } from 'zod';

export const settings = z.object({
  KEY_PEPPER: z
    .string()
    .min(32)
    .describe(
      'A secret of at least 32 characters that is mixed into the stored form of API keys. Changing it ends every key.',
    ),
});

export type Config = z.infer<typeof settings>;
