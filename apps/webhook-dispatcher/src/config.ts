import { z } from 'zod';

const delays = z
  .string()
  .regex(/^(\d+(,\d+)*)?$/, 'numbers separated by commas')
  .transform((text) =>
    text
      .split(',')
      .filter((each) => each !== '')
      .map(Number),
  );

export const settings = z.object({
  VAULT_KEYS: z
    .string()
    .min(1)
    .describe('Keys that seal webhook bodies and secrets, as "k2:base64,k1:base64": the first seals, all open.'),
  ALLOW_LOOPBACK_WEBHOOKS: z
    .stringbool()
    .default(false)
    .describe('In test mode webhooks may go to this machine and over plain http. For development only.'),
  RETRY_DELAYS_MS: delays
    .prefault('')
    .describe(
      'The pauses between attempts in ms, separated by commas. Empty = 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.',
    ),
  ATTEMPT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(15_000)
    .describe('How long one attempt may take over all, the body included.'),
  DISPATCH_SLOTS: z.coerce
    .number()
    .int()
    .min(1)
    .max(4_096)
    .default(256)
    .describe('How many webhooks are sent at once by this process.'),
  SHARD_LEASE_MS: z.coerce
    .number()
    .int()
    .min(300)
    .default(9_000)
    .describe('How long a shard stays with a process that went silent.'),
  SEND_TRACEPARENT: z.stringbool().default(false).describe('Receivers get the traceparent header.'),
});

export type Config = z.infer<typeof settings>;
