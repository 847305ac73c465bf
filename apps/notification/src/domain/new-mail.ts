/** A mail that has to go out, as an event asks for it. */
import type { MailFacts } from './facts.ts';
import type { MailKind } from './mail.ts';

export interface NewMail {
  readonly kind: MailKind;
  readonly merchantId: string;
  readonly traceparent: string;
  /** With merchant and kind: what makes it the same mail when the event comes again. */
  readonly about: string;
  /** Whose customer gets it, and in whose timeline it stands. */
  readonly orderId?: bigint;
  readonly itemId?: bigint;
  readonly productId?: string;
  readonly available?: number;
  readonly lowWaterMark?: number;
  /** Where the event knew something that must be kept; of the same kind. */
  readonly facts?: MailFacts;
}
