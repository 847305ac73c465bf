/** Pure: what becomes of a job after a run. */
import type { JobKind, Outcome, Written } from './kind.ts';

export interface Tried {
  readonly tries: number;
  readonly ageMs: number;
  readonly wallAgeMs: number;
}

export interface Settlement {
  readonly state: 'pending' | 'done' | 'not_wanted' | 'dead';
  readonly tries: number;
  readonly reason: string;
  /** Until it is due again, by the merchant's clock. */
  readonly dueInMs: number;
  /** Until another process may take it, by the wall's clock: an outage lasts no longer for a merchant who travels in time. */
  readonly pauseMs: number;
}

type Rules = Pick<JobKind<unknown>, 'schedule' | 'giveUpMs' | 'breaker'>;

export function settle(outcome: Written, tried: Tried, kind: Rules, random: number): Settlement {
  const tries = tried.tries + 1;
  const ended = { tries, dueInMs: 0, pauseMs: 0 };
  const giveUpMs = kind.giveUpMs ?? Infinity;
  switch (outcome.type) {
    case 'done':
      return { ...ended, state: 'done', reason: '' };
    case 'not_wanted':
      return { ...ended, state: 'not_wanted', reason: outcome.because };
    case 'dead':
      return { ...ended, state: 'dead', reason: outcome.because };
    case 'put_back':
      return { state: 'pending', tries: tried.tries, reason: '', dueInMs: 0, pauseMs: 0 };
    case 'away':
      if (tried.wallAgeMs >= giveUpMs) return { ...ended, tries: tried.tries, state: 'dead', reason: outcome.because };
      // The breaker pauses the destination; this only keeps other loops from asking at once before it opens.
      return {
        state: 'pending',
        tries: tried.tries,
        reason: outcome.because,
        dueInMs: 0,
        pauseMs: kind.breaker.firstMs,
      };
    case 'retry': {
      const dueInMs = outcome.afterMs ?? kind.schedule(tries, random);
      if (dueInMs === undefined || tried.ageMs >= giveUpMs) return { ...ended, state: 'dead', reason: outcome.because };
      return { state: 'pending', tries, reason: outcome.because, dueInMs, pauseMs: 0 };
    }
    default:
      return unreachable(outcome);
  }
}

/** How long a breaker that opened so often in a row stays open. */
export function openForMs(opened: number, { firstMs, longestMs }: Rules['breaker'], random: number): number {
  return Math.round(Math.min(longestMs, firstMs * 2 ** Math.min(opened, 20)) * (0.5 + random / 2));
}

/** Whether the destination answered; undefined = the run says nothing about it. */
export function hasAnswered(outcome: Outcome): boolean | undefined {
  switch (outcome.type) {
    case 'away':
      return false;
    case 'retry':
      return outcome.isAway !== true;
    case 'done':
    case 'dead':
      return true;
    case 'not_wanted':
    case 'put_back':
      return undefined;
    case 'settled_beside':
      return hasAnswered(outcome.as);
    default:
      return unreachable(outcome);
  }
}

function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
