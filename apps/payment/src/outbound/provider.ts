/** What a payment provider can do for us. The sandbox fills it today; real ones will. Their answers are hostile input. */
import type { Fact } from '../domain/fact.ts';

export interface PageRequest {
  /** For ever the provider's idempotency key. */
  readonly key: string;
  /** Our payment id; the provider says it back. */
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly returnUrl: string;
  readonly description: string;
  readonly locale: string;
  /** A code of the catalogue (domain/methods.ts). */
  readonly method: string;
  /** The customer agreed that the instrument is kept. */
  readonly save: boolean;
  /** The merchant's time. */
  readonly asOf: Date;
}

/** Of what was kept, without the customer. */
export interface ChargeRequest {
  /** For ever the provider's idempotency key: the same key answers what became of it. */
  readonly key: string;
  readonly reference: string;
  readonly token: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly asOf: Date;
}

export type ChargeAnswer =
  | { readonly outcome: 'known'; readonly fact: Fact }
  | { readonly outcome: 'declined'; readonly code: string; readonly description: string }
  | { readonly outcome: 'unknown'; readonly because: string };

export type PageAnswer =
  | { readonly outcome: 'open'; readonly providerPaymentId: string; readonly redirectUrl: string }
  | { readonly outcome: 'declined'; readonly code: string; readonly description: string }
  /** A time-out, a 5xx, a broken connection: it may or may not have happened. */
  | { readonly outcome: 'unknown'; readonly because: string };

export interface ReceivedCallback {
  readonly eventId: string;
  readonly fact: Fact;
}

export interface Provider {
  readonly name: string;
  openPage(request: PageRequest): Promise<PageAnswer>;
  charge(request: ChargeRequest): Promise<ChargeAnswer>;
  /** Undefined when the provider knows no such payment. Throws when it does not answer. `asOf` is the merchant's time. */
  ask(reference: string, asOf: Date): Promise<Fact | undefined>;
  /** False when the customer has begun to pay. Throws when the provider does not answer. */
  withdraw(providerPaymentId: string): Promise<boolean>;
  /** Undefined when the callback is not signed by the provider, or too old. */
  readCallback(headers: Readonly<Record<string, string>>, body: Uint8Array, now: Date): ReceivedCallback | undefined;
  /** The same of a callback whose signature was checked before it was stored. */
  readStored(body: Uint8Array): ReceivedCallback | undefined;
}
