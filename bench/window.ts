/** One form under load, window by window: from rest to rest, so that all that a purchase sets off is in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CountedDatabase, type Counts } from './database-counts.ts';
import type { Form } from './form.ts';
import { fulfilmentOf, Mails, type Fulfilment } from './gate.ts';
import { closedLoop, openLoop, type Load } from './load.ts';
import { machineCpuMs, usageOf, type Usage } from './processes.ts';
import { openShop, type Shop } from './shop.ts';

export interface Cost {
  readonly statements: number | undefined;
  readonly control: number;
  readonly scope: number;
  readonly transactions: number;
  readonly walBytes: number;
  readonly walSyncs: number;
  readonly wholePages: number;
  /** Pages of tables and indexes that were looked at, and those of them that were not in Postgres's memory. */
  readonly pages: number;
  readonly pagesRead: number;
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

export interface Window {
  readonly load: Load;
  readonly fulfilment: Fulfilment;
  readonly cost: Cost;
  readonly perSecond: number;
}

export class Ground {
  readonly form: Form;
  readonly database: CountedDatabase;
  readonly #shop: Shop;
  readonly #mails: Mails;

  private constructor(form: Form, shop: Shop, database: CountedDatabase) {
    this.form = form;
    this.database = database;
    this.#shop = shop;
    this.#mails = new Mails(form.data);
  }

  static async open(form: Form, codesEach = 30_000): Promise<Ground> {
    return new Ground(form, await openShop(form, codesEach), await CountedDatabase.open(form));
  }

  closed(customers: number, seconds: number): Promise<Window> {
    return this.#window(() => closedLoop(this.#shop.links, customers, seconds));
  }

  open(perSecond: number, seconds: number): Promise<Window> {
    return this.#window(() => openLoop(this.#shop.links, perSecond, seconds));
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.#shop.close();
  }

  async #window(drive: () => Promise<Load>): Promise<Window> {
    await this.database.tidy();
    const before = { counts: await this.database.counts(), ...readCpu(this.form) };
    const load = await drive();
    const fulfilment = await fulfilmentOf(load, { shop: this.#shop, mails: this.#mails, database: this.database });
    const after = { ...readCpu(this.form), counts: await this.database.counts() };
    return {
      load,
      fulfilment,
      cost: costOf(before, after, load.purchases.length, namesOf(this.form)),
      perSecond: load.purchases.length / load.seconds,
    };
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

/** What polls meanwhile is in it, too. */
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
    pages: each(before.counts.pages, after.counts.pages),
    pagesRead: each(before.counts.pagesRead, after.counts.pagesRead),
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
export function namesOf(form: Form): ReadonlyMap<number, string> {
  if (form.name !== 'split') return new Map();
  const ids: Record<string, number> = JSON.parse(readFileSync(join(form.data, 'processes.json'), 'utf8'));
  return new Map(Object.entries(ids).map(([name, pid]) => [pid, name]));
}
