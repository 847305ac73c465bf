/** When a mail is tried again, and for how long; and what makes it the same mail each time. */
import type { MailFacts } from './facts.ts';

export type MailKind = 'payment_confirmed' | 'licence' | 'pool_low' | MailFacts['kind'];

/** What a try came to. */
export type Outcome =
  | { readonly type: 'sent' }
  /** There is nothing to send: the merchant has switched it off, or what it says is no longer so. */
  | { readonly type: 'not_wanted'; readonly reason: string }
  /** This message, now: the server said "later" (4xx), or what the mail is about is not known yet. */
  | { readonly type: 'refused_for_now'; readonly reason: string }
  /** This message, ever: the server said no (5xx) to its recipient or its content. */
  | { readonly type: 'refused_for_good'; readonly reason: string }
  /** No message: the mail server or a service that knows the content does not answer. Says nothing about the mail. */
  | { readonly type: 'outage'; readonly reason: string };

// A mail server that greylists wants some minutes; one that is full, hours.
const longestMs = 3_600_000;
const spread = 0.5;

/** No wait is longer. */
export const longestWaitMs = longestMs * (1 + spread / 2);

/**
 * The wait after so many tries, from 1: doubling up to an hour. `random` in [0, 1) spreads the next tries, so that what
 * failed together does not come back together.
 */
export function waitAfter(tries: number, firstMs: number, random: number): number {
  const inMs = Math.min(longestMs, firstMs * 2 ** Math.min(tries - 1, 20));
  return Math.round(inMs * (1 - spread / 2 + random * spread));
}

/** The same for every try of a mail, so that a mail program shows one message even when two arrived. */
export function messageIdOf(kind: MailKind, about: string, domain: string): string {
  return `<${kind}.${about}@${domain}>`;
}
