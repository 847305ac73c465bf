/** What a run says in the end: a file for programs and one line for people. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { moments } from '@tillstream/telemetry/probe';
import type { Checked } from './checker.ts';
import type { Fired } from './faults.ts';
import type { Outcome } from './history.ts';
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
    tookSeconds: Math.round(run.tookMs / 1_000),
    anomalies: checked.anomalies,
    figures: {
      ...checked.figures,
      kills,
      endedByThemselves: endings.filter(({ code }) => code !== null && code !== 0).length,
      quietAfterSeconds: Math.round(run.quietAfterMs / 1_000),
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
    `at rest after ${Math.round(run.quietAfterMs / 1_000)} s`,
  ].join(', ');
  return checked.anomalies.length === 0
    ? `torture: CLEAN, ${story}; ${file}`
    : `torture: ${checked.anomalies.length} ANOMALIES, ${story}; first: ${checked.anomalies[0]?.check}: ${checked.anomalies[0]?.what}; ${file}`;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', cwd: import.meta.dirname }).trim();
  } catch {
    return '';
  }
}
