/** Which faults come when: drawn from the seed alone, so many of each per minute. What exactly is hit depends on what runs then. */
export type FaultKind =
  | 'kill'
  | 'crash point'
  | 'pause'
  | 'orderly stop'
  | 'outsider killed'
  | 'broker crash'
  | 'database crash'
  | 'lost commits'
  | 'connections reset'
  | 'silent network'
  | 'slow network'
  | 'poison';

export interface PlannedFault {
  readonly kind: FaultKind;
  readonly atMs: number;
}

// Half an hour has 150 kills, 15 broker and 8 database crashes; an orderly stop for each service to die in, and some to live through.
const perMinute: Readonly<Record<Exclude<FaultKind, 'poison'>, number>> = {
  kill: 1.6,
  'crash point': 4,
  pause: 0.3,
  'orderly stop': 0.6,
  'outsider killed': 0.4,
  'broker crash': 0.57,
  'database crash': 0.33,
  'lost commits': 1,
  'connections reset': 0.5,
  'silent network': 0.2,
  'slow network': 0.4,
};
const poisonings = 4;
// Nothing begins before there is load, nor so late that it would fall into the peace.
const [firstMs, marginMs] = [8_000, 12_000];

export function planOf(minutes: number, random: () => number): readonly PlannedFault[] {
  const spanMs = Math.max(0, minutes * 60_000 - firstMs - marginMs);
  const spread = (kind: FaultKind, count: number): PlannedFault[] =>
    // One in each slice of the time: none of them bunch at the end.
    Array.from({ length: count }, (_, at) => ({
      kind,
      atMs: Math.round(firstMs + ((at + random()) / count) * spanMs),
    }));
  const counts = Object.entries(perMinute).map(
    ([kind, rate]) => [kind as FaultKind, Math.max(1, Math.round(rate * minutes))] as const,
  );
  return [...counts.flatMap(([kind, count]) => spread(kind, count)), ...spread('poison', poisonings)].toSorted(
    (a, b) => a.atMs - b.atMs,
  );
}
