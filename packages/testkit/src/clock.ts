/** A clock to turn. */
export interface TurnableClock {
  now(merchantId: string): Date;
  travellers(): readonly string[];
  advance(ms: number): void;
  set(date: Date): void;
}

export function turnableClock(start: Date = new Date()): TurnableClock {
  let now = start.getTime();
  return {
    now: () => new Date(now),
    travellers: () => [],
    advance: (ms) => (now += ms),
    set: (date) => (now = date.getTime()),
  };
}
