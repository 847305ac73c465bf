/** A mail that has to go out, as an event asks for it. */
import type { MailKind } from './mail.ts';

export interface NewMail {
  readonly kind: MailKind;
  readonly merchantId: string;
  readonly traceparent: string;
  /** With merchant and kind: what makes it the same mail when the event comes again. */
  readonly about: string;
  readonly orderId?: bigint;
  readonly itemId?: bigint;
  readonly productId?: string;
  readonly available?: number;
  readonly lowWaterMark?: number;
}
