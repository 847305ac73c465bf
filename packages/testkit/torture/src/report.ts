/** What a run says in the end: a file for programs and one line for people. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { moments } from '@tillstream/telemetry/probe';
import type { Checked } from './checker.ts';
import type { Fired } from './faults.ts';
import type { Outcome } from './history.ts';
import type { Journeys } from './traveller.ts';
import { mortals, type World } from './world.ts';

export interface Run {
  readonly seed: number;
  readonly minutes: number;
  readonly world: World;
  readonly fired: readonly Fired[];
  /** Planned, and not fired: the machine was too slow for so many deaths. */
  readonly dropped: number;
  readonly checked: Checked;
  readonly operations: Readonly<Record<string, Record<Outcome, number>>>;
  readonly troubles: Readonly<Record<string, number>>;
  readonly journeys: Journeys;
  /** The bug that the run was to find; '' = none. */
  readonly mutant: string;
  /** From the end of the faults to rest. */
  readonly quietAfterMs: number;
  readonly tookMs: number;
}

/** Points of the plan (proof.md B.2) for which there is no code yet. */
const notBuilt = ['payment: refund reserved, not sent'];

export function writeReport(file: string, run: Run): string {
  const { world, fired, checked, seed, minutes } = run;
  const points = mortals.flatMap((service) =>
    [...world.programs.coverage(service)].map(([moment, { hits, kills }]) => ({ service, moment, hits, kills })),
  );
  const kinds = Object.fromEntries(
    [...Map.groupBy(fired, ({ kind }) => kind)].map(([kind, some]) => [kind, some.length]),
  );
  const { endings } = world.programs;
  const kills = endings.filter(({ signal }) => signal === 'SIGKILL').length;
  const diedAt = points.filter((point) => point.kills > 0);
  const report = {
    seed,
    commit: commit(),
    minutes,
    mutant: run.mutant,
    tookSeconds: Math.round(run.tookMs / 1_000),
    anomalies: checked.anomalies,
    figures: {
      ...checked.figures,
      kills,
      endedByThemselves: endings.filter(({ code }) => code !== null && code !== 0).length,
      quietAfterSeconds: Math.round(run.quietAfterMs / 1_000),
      recoverySeconds: spread(world.programs.recoveriesMs),
    },
    faults: { ...kinds, dropped: run.dropped, ...world.proxy.counts() },
    crashPoints: {
      hit: points.length,
      diedAt: diedAt.length,
      momentsDiedIn: new Set(diedAt.map(({ moment }) => moment)).size,
      momentsNeverReached: Object.keys(moments).filter((moment) => !points.some((point) => point.moment === moment)),
      reachedAndSurvivedOnly: points
        .filter((point) => point.kills === 0)
        .map(({ service, moment }) => `${service}: ${moment}`),
      notBuilt,
      points,
    },
    operations: run.operations,
    troubles: run.troubles,
    testClock: run.journeys,
    fired: fired.map(({ kind, what, at }) => ({ at: new Date(at).toISOString(), kind, what })),
  };
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  const { figures } = checked;
  const story = [
    `seed ${seed}`,
    `${minutes} min`,
    `${figures.orders} orders (${figures.paid} paid, ${figures.renewals} renewals)`,
    `${kills} kills (at ${diedAt.length} of ${points.length} crash points)`,
    `${kinds['broker crash'] ?? 0} broker and ${kinds['database crash'] ?? 0} database crashes`,
    `${world.proxy.counts().lostCommits} lost COMMITs`,
    `starts ready in ${spread(world.programs.recoveriesMs).median} s (95 %: ${spread(world.programs.recoveriesMs).p95} s)`,
    `at rest after ${Math.round(run.quietAfterMs / 1_000)} s`,
  ].join(', ');
  if (run.mutant !== '')
    return checked.anomalies.length === 0
      ? `torture: the mutant ${run.mutant} SURVIVED, ${story}; ${file}`
      : `torture: the mutant ${run.mutant} is CAUGHT by ${checked.anomalies.length} anomalies, ${story}; first: ${checked.anomalies[0]?.check}: ${checked.anomalies[0]?.what}; ${file}`;
  return checked.anomalies.length === 0
    ? `torture: CLEAN, ${story}; ${file}`
    : `torture: ${checked.anomalies.length} ANOMALIES, ${story}; first: ${checked.anomalies[0]?.check}: ${checked.anomalies[0]?.what}; ${file}`;
}

/** From a start to its first "ready". */
function spread(times: readonly number[]): { readonly median: number; readonly p95: number; readonly most: number } {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) / 100) / 10;
  return { median: at(0.5), p95: at(0.95), most: at(1) };
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', cwd: import.meta.dirname }).trim();
  } catch {
    return '';
  }
}
