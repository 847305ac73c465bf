/**
 * When an attempt is repeated, and what an answer means. The delays are those of the Standard Webhooks text: together 75
 * hours and a half, so that a receiver that broke on a Friday evening is heard on Monday.
 */
const [second, minute, hour] = [1_000, 60_000, 3_600_000];
export const standardDelaysMs: readonly number[] = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

// A receiver may ask for patience, not for oblivion.
const longestRetryAfterMs = hour;

/**
 * The delay before the attempt after `step` failures, ±20 % so that what failed together does not come back together;
 * undefined when none is left. `chance` is from 0 up to 1.
 */
export function retryDelayMs(delaysMs: readonly number[], step: number, chance: number): number | undefined {
  const delay = delaysMs[step];
  return delay === undefined ? undefined : Math.round(delay * (0.8 + 0.4 * chance));
}

/** No retry is planned further ahead than this. */
export function furthestRetryMs(delaysMs: readonly number[]): number {
  return Math.max(longestRetryAfterMs, ...delaysMs.map((delay) => delay * 1.2));
}

/** Seconds or an HTTP date; what is neither, or past, asks for nothing. */
export function retryAfterMs(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * second : Date.parse(text) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, longestRetryAfterMs) : 0;
}

export type AttemptError =
  | ''
  | 'timeout'
  | 'connection_refused'
  | 'connection_reset'
  | 'unreachable'
  | 'dns'
  | 'tls'
  | 'blocked_address'
  | 'redirect'
  | 'bad_response';

/** What an answer asks for: nothing more, another attempt, or never again. */
export type Verdict = 'delivered' | 'retry' | 'gone';

/** docs/decisions/webhook-4xx.md: every failure is tried again on the schedule; 410 is the receiver's word for never. */
export function judge(httpStatus: number, error: AttemptError): Verdict {
  if (error !== '') return 'retry';
  if (httpStatus >= 200 && httpStatus < 300) return 'delivered';
  return httpStatus === 410 ? 'gone' : 'retry';
}

/**
 * Whether the receiver as a whole is away, rather than unwilling to take this one: no answer, or one that a proxy gives
 * in its place. A blocked address is a decision of ours and says nothing about it.
 */
export function isAway(httpStatus: number, error: AttemptError): boolean {
  if (error !== '') return error !== 'redirect' && error !== 'blocked_address' && error !== 'bad_response';
  return httpStatus === 502 || httpStatus === 503 || httpStatus === 504;
}

export interface Outcome {
  readonly outcome: 'delivered' | 'waiting' | 'exhausted';
  readonly isGone: boolean;
  readonly isAway: boolean;
  /** An extra attempt, made to see whether the receiver is back, takes nothing from the schedule. */
  readonly isCounted: boolean;
  readonly retryInMs: number;
  /** How long the receiver asked to be left alone with everything. */
  readonly retryAfterMs: number;
}

export function judgeAttempt(
  answer: { readonly httpStatus: number; readonly error: AttemptError; readonly retryAfter: string | undefined },
  attempt: {
    readonly step: number;
    readonly isExtra: boolean;
    readonly delaysMs: readonly number[];
    readonly nowMs: number;
    readonly chance: number;
  },
): Outcome {
  const verdict = judge(answer.httpStatus, answer.error);
  const patienceMs = retryAfterMs(answer.retryAfter, attempt.nowMs);
  const delayMs = attempt.isExtra ? 0 : retryDelayMs(attempt.delaysMs, attempt.step, attempt.chance);
  return {
    outcome: verdict === 'delivered' ? 'delivered' : delayMs === undefined ? 'exhausted' : 'waiting',
    isGone: verdict === 'gone',
    isAway: isAway(answer.httpStatus, answer.error),
    isCounted: !attempt.isExtra,
    retryInMs: Math.max(delayMs ?? 0, patienceMs),
    retryAfterMs: patienceMs,
  };
}
