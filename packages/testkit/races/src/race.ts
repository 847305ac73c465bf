/** A race: contenders that start at the same moment, again and again, and what must hold when they are done. */
import { codeOf } from '@tillstream/database/database';
import { randomFrom, type Random } from './random.ts';

export type Contender = () => Promise<unknown>;

export interface Round {
  readonly contenders: readonly Contender[];
  /** Refusals that a loser may hear; anything else that is thrown is an anomaly. */
  readonly mayHear?: readonly string[];
  /** The outcomes are in the order of the contenders. */
  readonly check: (outcomes: readonly PromiseSettledResult<unknown>[]) => Promise<Finding>;
}

export interface Finding {
  /** How it ended, in a word or two: a race that always ends the same way is none. */
  readonly ended: string;
  /** What should not be, a sentence each; none = all is well. */
  readonly wrong: readonly string[];
}

/** Where a race is run: a database of its own, and two of each service that takes part. */
export interface Field {
  round(nth: number, random: Random): Promise<Round>;
  close(): Promise<void>;
}

export interface Race {
  readonly name: string;
  /** What holds after every round, whoever was first. */
  readonly holds: string;
  open(contenders: number): Promise<Field>;
}

export interface Anomaly {
  readonly round: number;
  readonly what: string;
}

export interface Verdict {
  readonly name: string;
  readonly rounds: number;
  readonly contenders: number;
  readonly anomalies: readonly Anomaly[];
  /** How often it ended how. */
  readonly endings: ReadonlyMap<string, number>;
  readonly seconds: number;
}

export interface RaceOptions {
  readonly rounds: number;
  readonly contenders: number;
  readonly seed: number;
  /** So many are enough; default 20, more of the same teach nothing. */
  readonly mostAnomalies?: number;
  /** Told after each round. */
  readonly onRound?: (round: number, anomalies: number) => void;
}

// In half of the rounds they start within this time of each other instead of in one tick: whoever is always at the door
// first never meets whoever is half done.
const spreadMs = 4;

const timedOut = 'not judged, for somebody timed out';
// A machine has a bad moment; a service that answers nobody is a fault.
const mostTimedOut = 0.02;

export async function runRace(race: Race, options: RaceOptions): Promise<Verdict> {
  const startedAt = performance.now();
  const { mostAnomalies = 20 } = options;
  const anomalies: Anomaly[] = [];
  const endings = new Map<string, number>();
  const field = await race.open(options.contenders);
  let round = 0;
  try {
    for (; round < options.rounds && anomalies.length < mostAnomalies; round += 1) {
      const random = randomFrom(options.seed + round);
      const { ended, wrong } = await runRound(field, round, random).catch((error: unknown) => ({
        ended: 'not at all',
        wrong: [`it could not be run to its end: ${String(error)}`],
      }));
      endings.set(ended, (endings.get(ended) ?? 0) + 1);
      for (const what of wrong) anomalies.push({ round, what });
      options.onRound?.(round + 1, anomalies.length);
    }
  } finally {
    await field.close();
  }
  const unjudged = endings.get(timedOut) ?? 0;
  if (unjudged > Math.max(1, round * mostTimedOut))
    anomalies.push({ round, what: `in ${unjudged} rounds somebody timed out` });
  const seconds = (performance.now() - startedAt) / 1_000;
  return { name: race.name, rounds: round, contenders: options.contenders, anomalies, endings, seconds };
}

async function runRound(field: Field, nth: number, random: Random): Promise<Finding> {
  const { contenders, mayHear = [], check } = await field.round(nth, random);
  const outcomes = await startTogether(contenders, random, random.below(2) * spreadMs);
  // Whoever heard nothing knows nothing: on a machine that is this busy the round is not judged by what was answered.
  if (outcomes.some((each) => each.status === 'rejected' && codeOf(each.reason) === 'unavailable'))
    return { ended: timedOut, wrong: [] };
  const { ended, wrong } = await check(outcomes);
  return { ended, wrong: [...unexpected(outcomes, mayHear), ...wrong] };
}

/** In a drawn order, all waiting behind one barrier. */
async function startTogether(
  contenders: readonly Contender[],
  random: Random,
  withinMs: number,
): Promise<readonly PromiseSettledResult<unknown>[]> {
  const barrier = Promise.withResolvers<void>();
  const running: Promise<unknown>[] = [];
  for (const at of random.shuffle(contenders.map((_, place) => place))) {
    const pauseMs = random.below(withinMs + 1);
    running[at] = barrier.promise.then(async () => {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      return contenders[at]?.();
    });
  }
  barrier.resolve();
  return Promise.allSettled(running);
}

function unexpected(outcomes: readonly PromiseSettledResult<unknown>[], mayHear: readonly string[]): readonly string[] {
  const wrong = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' && !mayHear.includes(codeOf(outcome.reason)) ? [outcome.reason] : [],
  );
  return [
    ...new Set(wrong.map((reason) => `a contender was told ${codeOf(reason) || 'of a fault'}: ${String(reason)}`)),
  ];
}

/** The sentences whose condition does not hold. */
export function complaints(
  ...conditions: readonly (readonly [holds: boolean, complaint: string])[]
): readonly string[] {
  return conditions.flatMap(([holds, complaint]) => (holds ? [] : [complaint]));
}
