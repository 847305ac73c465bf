/** How much a form bears, how long it takes then, and how two of them compare. */
import { percentile, sorted, type Fulfilment } from './gate.ts';
import { Ground, type Cost, type Window } from './window.ts';

export interface Measured {
  readonly customers: number;
  readonly perSecond: number;
  /** Until every licence, mail and webhook was out. */
  readonly fulfilledPerSecond: number;
  readonly closed: Fulfilment;
  readonly openRate: number;
  readonly open: Fulfilment;
  readonly session: { readonly p50: number; readonly p99: number };
  /** Of a single request. */
  readonly request: { readonly p50: number; readonly p99: number };
  readonly cost: Cost;
  readonly failures: ReadonlyMap<string, number>;
}

/** Customers at once. The fewest that keep it busy are best, for more only wait; and none may be turned away. */
const crowds = [16, 64, 128];
const warmUpSeconds = 5;
const closedSeconds = 10;
const openSeconds = 12;

export async function measure(ground: Ground): Promise<Measured> {
  await ground.closed(16, warmUpSeconds);
  const tried: { customers: number; window: Window }[] = [];
  for (const customers of crowds) {
    const window = await ground.closed(customers, closedSeconds);
    tried.push({ customers, window });
    // More of them would only be turned away, too.
    if (!window.fulfilment.isValid) break;
  }
  const [first] = tried;
  if (first === undefined) throw new Error('nothing was measured');
  const best = tried
    .filter(({ window }) => window.fulfilment.isValid)
    .reduce((a, b) => (b.window.perSecond > a.window.perSecond * 1.05 ? b : a), first);
  const { load, fulfilment: closed, cost, perSecond } = best.window;

  const openRate = Math.max(1, Math.round(perSecond / 2));
  const calm = await ground.open(openRate, openSeconds);
  const tookMs = sorted(calm.load.purchases.map((purchase) => purchase.tookMs));
  const requestMs = sorted(calm.load.purchases.flatMap((purchase) => purchase.requestMs));
  return {
    customers: best.customers,
    perSecond,
    fulfilledPerSecond: load.purchases.length / closed.seconds,
    closed,
    openRate,
    open: calm.fulfilment,
    session: { p50: percentile(tookMs, 0.5), p99: percentile(tookMs, 0.99) },
    request: { p50: percentile(requestMs, 0.5), p99: percentile(requestMs, 0.99) },
    cost,
    failures: new Map([...tried.flatMap(({ window }) => [...window.load.failures]), ...calm.load.failures]),
  };
}

export interface Compared {
  readonly a: number;
  readonly b: number;
  /** b ÷ a, of purchases a second. */
  readonly ratio: number;
  /** All the CPU that a purchase takes, in ms: less sensitive to who else is on the machine. */
  readonly cpuA: number;
  readonly cpuB: number;
  /** What a purchase costs in a and in b. */
  readonly ratios: readonly (readonly [what: string, a: number, b: number])[];
  readonly isValid: boolean;
  readonly othersCores: number;
}

/** A, B, B, A: what drifts meanwhile falls on both alike. */
export async function compare(a: Ground, b: Ground, customers: number): Promise<Compared> {
  for (const ground of [a, b]) await ground.closed(customers, 3);
  const windows: Window[] = [];
  for (const ground of [a, b, b, a]) windows.push(await ground.closed(customers, 10));
  const both = (of: (window: Window) => number) => [mean([0, 3], of), mean([1, 2], of)] as const;
  const mean = (places: readonly number[], of: (window: Window) => number) =>
    windows.filter((_, nth) => places.includes(nth)).reduce((sum, window) => sum + of(window), 0) / places.length;
  const [rateA, rateB] = both((window) => window.perSecond);
  const [cpuA, cpuB] = both(({ cost }) => cost.productMs + cost.postgresMs);
  const kinds: readonly (readonly [string, (cost: Cost) => number])[] = [
    ['CPU ms, Node', (cost) => cost.productMs],
    ['CPU ms, Postgres', (cost) => cost.postgresMs],
    ['CPU ms, both', (cost) => cost.productMs + cost.postgresMs],
    ['WAL kB', (cost) => cost.walBytes / 1_000],
    ['statements', (cost) => cost.statements ?? Number.NaN],
    ['transactions', (cost) => cost.transactions],
    ['pages touched', (cost) => cost.pages],
    ['pages not in memory', (cost) => cost.pagesRead],
  ];
  return {
    a: rateA,
    b: rateB,
    ratio: rateB / rateA,
    cpuA,
    cpuB,
    ratios: kinds.map(([what, of]) => [what, ...both(({ cost }) => of(cost))] as const),
    isValid: windows.every((window) => window.fulfilment.isValid),
    othersCores: mean([0, 1, 2, 3], ({ cost }) => cost.othersCores),
  };
}
