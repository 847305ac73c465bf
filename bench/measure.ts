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
  /** b ÷ a, of all the CPU that a purchase takes: less sensitive to who else is on the machine. */
  readonly cpuRatio: number;
  readonly cpuA: number;
  readonly cpuB: number;
  readonly isValid: boolean;
}

/** A, B, B, A: what drifts meanwhile falls on both alike. */
export async function compare(a: Ground, b: Ground, customers: number): Promise<Compared> {
  for (const ground of [a, b]) await ground.closed(customers, 3);
  const windows: Window[] = [];
  for (const ground of [a, b, b, a]) windows.push(await ground.closed(customers, 10));
  const pair = (first: number, second: number, of: (window: Window) => number) =>
    windows.filter((_, nth) => nth === first || nth === second).reduce((sum, window) => sum + of(window), 0) / 2;
  const rate = (window: Window) => window.perSecond;
  const cpu = ({ cost }: Window) => cost.productMs + cost.postgresMs;
  return {
    a: pair(0, 3, rate),
    b: pair(1, 2, rate),
    ratio: pair(1, 2, rate) / pair(0, 3, rate),
    cpuA: pair(0, 3, cpu),
    cpuB: pair(1, 2, cpu),
    cpuRatio: pair(1, 2, cpu) / pair(0, 3, cpu),
    isValid: windows.every((window) => window.fulfilment.isValid),
  };
}
