/** A merchant whose clock is led from month to month, so that renewals are charged under fire; and what its journeys waited for. */
import type { History } from './history.ts';
import type { Merchant } from './shop.ts';

interface Clock {
  readonly status: string;
  readonly advance: {
    readonly status: string;
    readonly waiting_for: readonly { readonly source: string; readonly what: string }[];
  } | null;
}

export interface Journeys {
  begun: number;
  /** 200: all of it has happened. */
  done: number;
  /** 202: it goes on by itself. */
  toldToWait: number;
  /** "service: what", how often it was named. */
  readonly waitedFor: Record<string, number>;
}

// The gateway answers after 50 seconds at the latest; what it asks may be away for some more.
const answerWithinMs = 75_000;

export async function travel(
  merchant: Merchant,
  history: History,
  wait: (ms: number) => Promise<void>,
  endAt: number,
): Promise<Journeys> {
  const journeys: Journeys = { begun: 0, done: 0, toldToWait: 0, waitedFor: {} };
  const look = (clock: Clock | undefined) => {
    for (const { source, what } of clock?.advance?.waiting_for ?? []) {
      const name = `${source}: ${what}`;
      journeys.waitedFor[name] = (journeys.waitedFor[name] ?? 0) + 1;
    }
  };
  await wait(20_000);
  while (Date.now() < endAt) {
    const answer = await merchant
      .ask<Clock>('POST', '/v1/test_clock/advance', { by: 'P31D' }, undefined, answerWithinMs)
      .catch(() => undefined);
    if (answer?.status === 200 || answer?.status === 202) journeys.begun += 1;
    if (answer?.status === 200) journeys.done += 1;
    if (answer?.status === 202) {
      journeys.toldToWait += 1;
      look(answer.body);
    } else if (answer?.status === 409) {
      const seen = await merchant.ask<Clock>('GET', '/v1/test_clock').catch(() => undefined);
      look(seen?.body);
    }
    if (answer !== undefined)
      history.note('journey', 'info', { status: answer.status, advance: answer.body?.advance ?? null });
    await wait(answer?.status === 200 ? 20_000 : 5_000);
  }
  return journeys;
}
