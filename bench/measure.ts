/** One form under load, and what a purchase cost it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CountedDatabase, type Counts } from './database-counts.ts';
import type { Form } from './form.ts';
import { fulfilmentOf, Mails, percentile, sorted, type Fulfilment } from './gate.ts';
import { closedLoop, openLoop, type Load } from './load.ts';
import { machineCpuMs, usageOf, type Usage } from './processes.ts';
import { openShop } from './shop.ts';

export interface Cost {
  readonly statements: number | undefined;
  readonly control: number;
  readonly scope: number;
  readonly transactions: number;
  readonly walBytes: number;
  readonly walSyncs: number;
  readonly wholePages: number;
  readonly productMs: number;
  readonly postgresMs: number;
  readonly kafkaMs: number;
  /** What the customers and receivers of this bench took. */
  readonly benchMs: number;
  /** Cores that others on the machine kept busy meanwhile; more than a little of it spoils the figures. */
  readonly othersCores: number;
  /** By process of the split form, dearest first. */
  readonly byProcess: readonly (readonly [string, number])[];
  /** The statements asked most often, dearest first, for whoever wants fewer. */
  readonly topStatements: readonly (readonly [string, number])[];
}

export interface Measured {
  readonly customers: number;
  readonly perSecond: number;
  /** Until every licence, mail and webhook was out. */
  readonly fulfilledPerSecond: number;
  readonly closed: Fulfilment;
  readonly openRate: number;
  readonly open: Fulfilment;
  readonly session: { readonly p50: number; readonly p99: number };
  readonly cost: Cost;
  readonly failures: ReadonlyMap<string, number>;
}

const customers = 16;
const warmUpSeconds = 5;
const closedSeconds = 15;
const openSeconds = 10;

export async function measure(form: Form): Promise<Measured> {
  const shop = await openShop(form, 10_000);
  const database = await CountedDatabase.open(form);
  const mails = new Mails(form.data);
  const fulfilled = (load: Load) => fulfilmentOf(load, { shop, mails, database });
  try {
    await fulfilled(await closedLoop(shop.links, customers, warmUpSeconds));
    await database.tidy();

    const before = { counts: await database.counts(), ...readCpu(form) };
    const load = await closedLoop(shop.links, customers, closedSeconds);
    const closed = await fulfilled(load);
    const after = { ...readCpu(form), counts: await database.counts() };
    const perSecond = load.purchases.length / load.seconds;

    await database.tidy();
    const openRate = Math.max(1, Math.round(perSecond / 2));
    const calm = await openLoop(shop.links, openRate, openSeconds);
    const open = await fulfilled(calm);
    const tookMs = sorted(calm.purchases.map((purchase) => purchase.tookMs));
    return {
      customers,
      perSecond,
      fulfilledPerSecond: load.purchases.length / closed.seconds,
      closed,
      openRate,
      open,
      session: { p50: percentile(tookMs, 0.5), p99: percentile(tookMs, 0.99) },
      cost: costOf(before, after, load.purchases.length, namesOf(form)),
      failures: new Map([...load.failures, ...calm.failures]),
    };
  } finally {
    await database.close();
    await shop.close();
  }
}

interface Reading {
  readonly counts: Counts;
  readonly usage: Usage;
  readonly benchMs: number;
  readonly machineMs: number;
  readonly at: number;
}

function readCpu(form: Form): Omit<Reading, 'counts'> {
  const { user, system } = process.cpuUsage();
  return {
    usage: usageOf(form.pid),
    benchMs: (user + system) / 1_000,
    machineMs: machineCpuMs(),
    at: performance.now(),
  };
}

/** The window reaches from rest to rest, so all that a purchase sets off is in it, and so is what polls meanwhile. */
function costOf(before: Reading, after: Reading, purchases: number, names: ReadonlyMap<number, string>): Cost {
  const each = (from: number, to: number) => (to - from) / purchases;
  const { statements: from } = before.counts;
  const { statements: to } = after.counts;
  const cpu = (kind: 'product' | 'postgres' | 'kafka') => each(before.usage.cpuMs[kind], after.usage.cpuMs[kind]);
  const benchMs = each(before.benchMs, after.benchMs);
  const ours = (cpu('product') + cpu('postgres') + cpu('kafka') + benchMs) * purchases;
  const othersCores = Math.max(0, (after.machineMs - before.machineMs - ours) / (after.at - before.at));
  const topStatements = [...after.counts.byStatement]
    .map(
      ([query, calls]) =>
        [query.replaceAll(/\s+/g, ' ').slice(0, 110), each(before.counts.byStatement.get(query) ?? 0, calls)] as const,
    )
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, 40);
  const byProcess = [...names]
    .map(
      ([pid, name]) =>
        [name, each(before.usage.cpuMsByPid.get(pid) ?? 0, after.usage.cpuMsByPid.get(pid) ?? 0)] as const,
    )
    .toSorted((a, b) => b[1] - a[1]);
  return {
    statements: from === undefined || to === undefined ? undefined : each(from, to),
    control: each(before.counts.control, after.counts.control),
    scope: each(before.counts.scope, after.counts.scope),
    transactions: each(before.counts.transactions, after.counts.transactions),
    walBytes: each(before.counts.walBytes, after.counts.walBytes),
    walSyncs: each(before.counts.walSyncs, after.counts.walSyncs),
    wholePages: each(before.counts.wholePages, after.counts.wholePages),
    productMs: cpu('product'),
    postgresMs: cpu('postgres'),
    kafkaMs: cpu('kafka'),
    benchMs,
    othersCores,
    byProcess,
    topStatements,
  };
}

/** The split form writes down who is who. */
function namesOf(form: Form): ReadonlyMap<number, string> {
  if (form.name === 'standalone') return new Map();
  const ids: Record<string, number> = JSON.parse(readFileSync(join(form.data, 'processes.json'), 'utf8'));
  return new Map(Object.entries(ids).map(([name, pid]) => [pid, name]));
}
