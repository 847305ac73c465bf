/**
 * Sentences that are judged at every commit, while a history goes on: what is wrong for a moment and mended later is seen, and
 * which operation did it. A judge hears the rows that the commit changed and keeps what little it must remember of the others.
 */
import type { TableDefinition } from '@tillstream/memory-postgres/catalog';
import type { RowChange } from '@tillstream/memory-postgres/transaction';
import type { Value } from '@tillstream/memory-postgres/values';
import type { Violation } from '../judge.ts';

/** One row before and after; absent = it was not there, or is gone. */
export interface Change {
  readonly old: Reading | undefined;
  readonly now: Reading | undefined;
}

/** A row by the names of its columns. */
export interface Reading {
  get(column: string): Value;
  text(column: string): string;
}

export interface Judge {
  readonly id: string;
  readonly sentence: string;
  /** What it does with the changes of this table; undefined = it is not about that. */
  about(table: TableDefinition): ((change: Change) => void) | undefined;
  /** The commit is told. Answers what contradicts the sentence. */
  settle(): readonly string[];
}

export class Watch {
  readonly #judges: readonly Judge[];
  /** By table: those who want to hear of it. */
  readonly #listeners = new Map<TableDefinition, readonly ((change: Change) => void)[]>();
  readonly #found = new Map<Judge, string[]>();
  /** Which operation is under way. */
  readonly #where: () => string;

  constructor(judges: readonly Judge[], where: () => string) {
    [this.#judges, this.#where] = [judges, where];
  }

  readonly hear = (changes: readonly RowChange[]): void => {
    for (const { table, old, now } of changes) {
      const listeners = this.#listenersOf(table);
      if (listeners.length === 0) continue;
      const places = placesOf(table);
      const change = { old: old && new Told(places, old), now: now && new Told(places, now) };
      for (const listen of listeners) listen(change);
    }
    this.settle();
  };

  /** Also after what is no commit. */
  settle(): void {
    for (const judge of this.#judges)
      for (const complaint of judge.settle()) {
        const found = this.#found.get(judge) ?? [];
        if (found.length < 5) found.push(`${complaint}, ${this.#where()}`);
        this.#found.set(judge, found);
      }
  }

  get violations(): readonly Violation[] {
    return [...this.#found].map(([{ id, sentence }, rows]) => ({ invariant: id, sentence, rows }));
  }

  #listenersOf(table: TableDefinition): readonly ((change: Change) => void)[] {
    const known = this.#listeners.get(table);
    if (known !== undefined) return known;
    const found = this.#judges.flatMap((judge) => judge.about(table) ?? []);
    this.#listeners.set(table, found);
    return found;
  }
}

type Places = ReadonlyMap<string, number>;

// Of all histories: tables do not change.
const places = new WeakMap<TableDefinition, Places>();

function placesOf(table: TableDefinition): Places {
  const known = places.get(table) ?? new Map(table.columns.map(({ name }, at) => [name, at]));
  places.set(table, known);
  return known;
}

class Told implements Reading {
  readonly #places: Places;
  readonly #values: readonly Value[];

  constructor(at: Places, values: readonly Value[]) {
    [this.#places, this.#values] = [at, values];
  }

  get(column: string): Value {
    const at = this.#places.get(column);
    if (at === undefined) throw new Error(`there is no column ${column}`);
    return this.#values[at] ?? null;
  }

  text(column: string): string {
    const value = this.get(column);
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  }
}
