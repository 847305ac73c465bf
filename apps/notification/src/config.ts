import { z } from 'zod';

export const settings = z.object({
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, 'must begin with smtp:// or smtps://')
    .default('smtp://127.0.0.1:1025')
    .describe(
      'The mail server, smtp://user:password@host:587 or smtps://…:465. STARTTLS is used where offered; add ?requireTLS=true to insist.',
    ),
  MAIL_FROM: z
    .string()
    .regex(/^[^\s@<>]+@[^\s@<>]+$/, 'must be an address')
    .default('no-reply@localhost')
    .describe(
      'The address that mails come from; the name beside it is the shop’s, and answers go to the shop’s support address.',
    ),
  MAIL_DOMAIN: z
    .string()
    .regex(/^[A-Za-z0-9.-]*$/, 'must be a domain')
    .default('')
    .describe(
      'The right side of Message-IDs. Must not change while mails are under way. Empty = the domain of MAIL_FROM.',
    ),
  MAIL_RETRY_FIRST_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(3_600_000)
    .default(15_000)
    .describe(
      'The wait before the second try of a mail that the server refused for now, by the merchant’s clock; it doubles up to an hour.',
    ),
  MAIL_GIVE_UP_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(5 * 24 * 3_600_000)
    .describe('How long a mail is tried for. Mail servers do the same for five days.'),
});

export type Config = z.infer<typeof settings>;
