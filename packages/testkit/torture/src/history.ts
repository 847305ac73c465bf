/** What clients did and what they were told, one line of JSON each. A time-out is neither success nor failure: it is unknown. */
import { closeSync, openSync, writeSync } from 'node:fs';

/** ok = it happened and we were told; fail = it did not happen; info = it may have happened, or may yet. */
export type Outcome = 'ok' | 'fail' | 'info';

export class History {
  readonly #file: number;
  readonly #counts = new Map<string, Record<Outcome, number>>();
  readonly #troubles = new Map<string, number>();

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  note(what: string, outcome: Outcome, about: Readonly<Record<string, unknown>> = {}): void {
    const counts = this.#counts.get(what) ?? { ok: 0, fail: 0, info: 0 };
    counts[outcome] += 1;
    this.#counts.set(what, counts);
    const { why } = about;
    if (typeof why === 'string') {
      // Numbers make each of a kind look different.
      const trouble = `${what}: ${why.replaceAll(/[0-9a-f]{12,}|(?<!answered )(?<!\d)\d+/g, '…').slice(0, 100)}`;
      this.#troubles.set(trouble, (this.#troubles.get(trouble) ?? 0) + 1);
    }
    writeSync(this.#file, `${JSON.stringify({ at: Date.now(), what, outcome, ...about })}\n`);
  }

  counts(): Readonly<Record<string, Record<Outcome, number>>> {
    return Object.fromEntries(this.#counts);
  }

  /** What went wrong for clients, most frequent first. */
  troubles(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#troubles].toSorted(([, a], [, b]) => b - a).slice(0, 40));
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** A step that did not come to its end, and what is known of it. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  readonly outcome: 'fail' | 'info';

  constructor(outcome: 'fail' | 'info', message: string) {
    super(message);
    this.outcome = outcome;
  }
}

/** Nobody listened: nothing can have happened. Anything else may have. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof Trouble) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new Trouble(
    code === 'ECONNREFUSED' ? 'fail' : 'info',
    `${code} ${error instanceof Error ? error.message : String(error)}`,
  );
}
