/**
 * What a service does for a merchant besides messages and timers: mails to send, webhooks to retry, providers to ask. The
 * time machine waits for it and learns from it when the next of it is due (D15).
 */
export interface Work {
  /** A stable snake_case word: mails, webhooks, provider_calls. */
  readonly what: string;
  /** `now` is the merchant's. */
  pending(merchantId: string, now: Date): Promise<PendingWork>;
}

export interface PendingWork {
  /** Due by now or being done: it will be over soon, by itself. */
  readonly due: number;
  /** What waits for somebody, not for time. */
  readonly stuck?: number;
  /** The earliest that becomes due later, and what else becomes due at that very time; at most 100. */
  readonly next: readonly { readonly at: Date; readonly kind: string; readonly objectId: string }[];
}
