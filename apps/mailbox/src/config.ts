import { z } from 'zod';

export const settings = z.object({
  SMTP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(1025)
    .describe('Where mail is taken, without a password.'),
  SMTP_HOST: z.string().default('127.0.0.1').describe('The address to listen on for SMTP.'),
  MAILBOX_FILE: z.string().optional().describe('Where the messages are kept over a restart. Empty = in memory only.'),
});

export type Config = z.infer<typeof settings>;
