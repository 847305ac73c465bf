/** Histories one after the other, in this process or shared out among several. */
import { fork } from 'node:child_process';
import { startOwnPostgres } from '@tillstream/testkit/postgres';
import { realDate } from './engine/time.ts';
import { Simulator, type Outcome } from './history.ts';
import type { Violation } from './invariants/judge.ts';
import { homes } from './product.ts';
import { memoryGround } from './storage/memory.ts';
import { postgresGround } from './storage/postgres.ts';
import { tellStory, themeOf } from './story.ts';
import type { ThemeName } from './themes.ts';

export type StorageName = 'memory' | 'postgres';

/** A server of our own, unless the environment names one; for this process and the workers that it starts. */
export async function bringPostgres(): Promise<() => Promise<void>> {
  if (process.env['TEST_DATABASE_URL'] !== undefined) return async () => undefined;
  const server = await startOwnPostgres(quickly, true);
  process.env['TEST_DATABASE_URL'] = server.url;
  return () => server.stop();
}

// One process asks one thing at a time, and the rows of a history are cleared away between histories.
const quickly = { autovacuum: 'off', track_activities: 'off', track_counts: 'off', max_wal_size: '256MB' };

export interface Work {
  readonly storage: StorageName;
  readonly from: number;
  readonly to: number;
  /** Every so many-th seed. */
  readonly stride: number;
  /** No other history is begun after it. */
  readonly endMs: number;
}

export interface Tally {
  histories: number;
  operations: number;
  kills: number;
  faults: number;
  cpuMs: number;
  /** Themes that this storage cannot play, each with the statement that it does not know, and how many histories they had. */
  readonly notPlayed: Map<ThemeName, { statement: string; histories: number }>;
  broken: { seed: number; violations: readonly Violation[] } | undefined;
}

export function openSimulator(storage: StorageName): Promise<Simulator> {
  const all = Object.values(homes);
  return Simulator.on((scheduler) =>
    storage === 'memory' ? memoryGround(all, scheduler) : postgresGround(all, scheduler),
  );
}

/** Ends at the first history that breaks a sentence. */
export async function work(
  { storage, from, to, stride, endMs }: Work,
  onHistory: (seed: number, outcome: Outcome, cpuMs: number) => void,
): Promise<void> {
  const simulator = await openSimulator(storage);
  const notPlayed = new Map<ThemeName, Outcome>();
  for (let seed = from; seed < to && realDate.now() < endMs; seed += stride) {
    const theme = themeOf(seed);
    const skipped = notPlayed.get(theme);
    if (skipped !== undefined) {
      onHistory(seed, skipped, 0);
      continue;
    }
    const before = process.cpuUsage();
    const outcome = await simulator.run(tellStory(seed));
    const { user, system } = process.cpuUsage(before);
    onHistory(seed, outcome, (user + system) / 1_000);
    if (outcome.notKnown !== undefined) notPlayed.set(theme, outcome);
    if (outcome.violations.length > 0) break;
  }
  await simulator.close();
}

// What a history makes is gone when it is over: where there is room for it nothing of it is ever copied.
const youngSpace = '--max-semi-space-size=64';

/** Processes that share the seeds; the first that finds something ends the others. */
export async function workTogether(
  task: Omit<Work, 'stride'>,
  workers: number,
  onProgress: (tally: Tally) => void,
): Promise<Tally> {
  const tally: Tally = {
    histories: 0,
    operations: 0,
    kills: 0,
    faults: 0,
    cpuMs: 0,
    notPlayed: new Map(),
    broken: undefined,
  };
  const add = (seed: number, { operations, kills, struck, violations, notKnown }: Outcome, cpuMs: number) => {
    if (notKnown !== undefined) {
      const theme = themeOf(seed);
      const histories = (tally.notPlayed.get(theme)?.histories ?? 0) + 1;
      tally.notPlayed.set(theme, { statement: notKnown, histories });
      return onProgress(tally);
    }
    tally.histories += 1;
    tally.operations += operations;
    tally.kills += kills;
    tally.faults += struck;
    tally.cpuMs += cpuMs;
    if (violations.length > 0 && (tally.broken === undefined || seed < tally.broken.seed))
      tally.broken = { seed, violations };
    onProgress(tally);
  };
  const children = Array.from({ length: workers }, (_, nth) => {
    const share: Work = { ...task, from: task.from + nth, stride: workers };
    return fork(new URL('worker.ts', import.meta.url), [JSON.stringify(share)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, youngSpace],
    });
  });
  await Promise.all(
    children.map(
      (child) =>
        new Promise<void>((resolve, reject) => {
          child.on('message', (message) => {
            const { seed, outcome, cpuMs } = message as { seed: number; outcome: Outcome; cpuMs: number };
            add(seed, outcome, cpuMs);
            if (tally.broken !== undefined) for (const each of children) each.kill();
          });
          child.on('exit', (code, signal) =>
            code === 0 || signal === 'SIGTERM' ? resolve() : reject(new Error(`a worker ended with ${code ?? signal}`)),
          );
        }),
    ),
  );
  return tally;
}
