/**
 * Where services are told to die. Of the pairs (service, moment) that are reached at all, each is to be died at before any is a
 * second time: a service is told all of its moments that it has not died in yet, or the rarer half, and dies in the first that comes.
 */
import type { Programs } from './programs.ts';

export interface Point {
  readonly name: string;
  readonly moment: string;
  readonly hits: number;
  readonly kills: number;
}

// By then what is common has come. What is rare stays an order while other faults go on, until it comes.
const patienceMs = 6_000;
// Each with a plan of its own: the first start, and orderly stops.
const elsewhere: ReadonlySet<string> = new Set(['migrating', 'stopping']);

export class CrashPoints {
  readonly #programs: Programs;
  readonly #names: readonly string[];
  readonly #random: () => number;
  readonly #note: (what: string) => void;
  /** Services with an order that is not carried out yet. */
  readonly #armed = new Set<string>();
  #isOver = false;

  constructor(programs: Programs, names: readonly string[], random: () => number, note: (what: string) => void) {
    this.#programs = programs;
    this.#names = names;
    this.#random = random;
    this.#note = note;
  }

  /** Resolves when the service has died, or when it is clear that its moment is a rare one. */
  async aim(): Promise<void> {
    const open = openPoints(
      this.#names
        .filter((name) => this.#programs.isUp(name) && !this.#armed.has(name))
        .flatMap((name) => this.pointsOf(name)),
    );
    // Of a service with many such moments more often.
    const chosen = open[Math.floor(this.#random() * open.length)];
    if (chosen === undefined) return;
    const { name, kills } = chosen;
    const its = open.filter((point) => point.name === name);
    // Every second time only of the rare ones, which would else never be the first to come.
    const moments = (this.#random() < 0.5 ? its : rareOf(its)).map(({ moment }) => moment);
    // What was died in already is died in at another of its times.
    const hit = kills === 0 ? 1 : 1 + Math.floor(this.#random() * 4);
    if (!this.#programs.tell(name, { moments, hit })) return;
    this.#armed.add(name);
    const carriedOut = this.#watch(name, this.#killsOf(name)).finally(() => this.#armed.delete(name));
    await Promise.race([carriedOut, rest(patienceMs)]);
  }

  pointsOf(name: string): readonly Point[] {
    return [...this.#programs.coverage(name)].flatMap(([moment, { hits, kills }]) =>
      elsewhere.has(moment) ? [] : [{ name, moment, hits, kills }],
    );
  }

  /** Nobody dies of an old order any more. */
  end(): void {
    this.#isOver = true;
    for (const name of this.#armed) this.#programs.tell(name, { moments: [], hit: 1 });
  }

  /** Until it has died, of this order or of anything else: its next life knows of no order. */
  async #watch(name: string, before: number): Promise<void> {
    const lives = this.#programs.endings.length;
    while (!this.#isOver && !this.#programs.endings.slice(lives).some((ending) => ending.name === name))
      await rest(100);
    if (this.#killsOf(name) === before) return;
    const last = this.#programs.lastMoment(name);
    if (!elsewhere.has(last)) this.#note(`${name}: ${last}`);
  }

  #killsOf(name: string): number {
    return [...this.#programs.coverage(name).values()].reduce((sum, { kills }) => sum + kills, 0);
  }
}

/** Those that were died in least. */
export function openPoints(points: readonly Point[]): readonly Point[] {
  const fewest = Math.min(...points.map(({ kills }) => kills));
  return points.filter(({ kills }) => kills === fewest);
}

/** The half of them that came least often. */
export function rareOf(points: readonly Point[]): readonly Point[] {
  return points.toSorted((a, b) => a.hits - b.hits).slice(0, Math.ceil(points.length / 2));
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
