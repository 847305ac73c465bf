/**
 * When is a mail sent again, and when is it given up? A mail has no machine: nobody decides anything about it but the
 * mail server, nothing follows from it, and its unique key (merchant, kind, about) already says "once".
 */
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

export interface Tried {
  /** Tries of this message so far; outages are not tries. */
  readonly attempts: number;
  /** Since it was queued, by the merchant's clock. */
  readonly ageMs: number;
  /** The same by the wall: an outage of a minute is one of a minute for those who travel a year meanwhile. */
  readonly wallAgeMs: number;
}

export interface Settled {
  readonly status: 'pending' | 'sent' | 'not_wanted' | 'failed_permanently';
  readonly attempts: number;
  readonly reason: string;
  /** Until the next try, for a pending one, by the merchant's clock. */
  readonly dueInMs: number;
  /** By the wall: nobody takes it before. An outage is the host's, and lasts no longer for a merchant who travels in time. */
  readonly pauseMs: number;
}

export interface RetryPolicy {
  readonly firstMs: number;
  readonly giveUpMs: number;
}

// A mail server that greylists wants some minutes; one that is full, hours.
const longestMs = 3_600_000;
// The worker itself waits while the server is away; this only keeps other replicas from asking at once.
const afterOutageMs = 1_000;

/** `random` in [0, 1) spreads the next tries, so that what failed together does not come back together. */
export function settle(outcome: Outcome, tried: Tried, policy: RetryPolicy, random: number): Settled {
  const done = { attempts: tried.attempts + 1, dueInMs: 0, pauseMs: 0 };
  switch (outcome.type) {
    case 'sent':
      return { ...done, status: 'sent', reason: '' };
    case 'not_wanted':
      return { ...done, status: 'not_wanted', reason: outcome.reason };
    case 'refused_for_good':
      return { ...done, status: 'failed_permanently', reason: outcome.reason };
    case 'refused_for_now': {
      if (tried.ageMs >= policy.giveUpMs) return { ...done, status: 'failed_permanently', reason: outcome.reason };
      const inMs = Math.min(longestMs, policy.firstMs * 2 ** Math.min(tried.attempts, 20));
      return { ...done, status: 'pending', reason: outcome.reason, dueInMs: Math.round(inMs * (0.75 + random / 2)) };
    }
    case 'outage':
      if (tried.wallAgeMs >= policy.giveUpMs) return { ...done, status: 'failed_permanently', reason: outcome.reason };
      return {
        status: 'pending',
        attempts: tried.attempts,
        reason: outcome.reason,
        dueInMs: 0,
        pauseMs: afterOutageMs,
      };
    default:
      return unreachable(outcome);
  }
}

/** The same for every try of a mail, so that a mail program shows one message even when two arrived. */
export function messageIdOf(kind: MailKind, about: string, domain: string): string {
  return `<${kind}.${about}@${domain}>`;
}

function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
