/** How often, and how long, a provider that said nothing is asked again. */

// Ten seconds while the customer waits, then for days: a provider that has an outage knows afterwards what happened.
const pausesMs = [10_000, 30_000, 120_000, 300_000, 900_000, 3_600_000, 86_400_000];

/** A month of days; after that a person must ask. */
export const mostTries = 36;

/** When to ask after the n-th time without an answer, counted from one; undefined = not any more. */
export function askAfter(tries: number, now: Date): Date | undefined {
  if (tries >= mostTries) return undefined;
  const pauseMs = pausesMs[Math.min(Math.max(tries, 1), pausesMs.length) - 1] ?? 0;
  return new Date(now.getTime() + pauseMs);
}
