/**
 * What must always hold: one file of SQL for each in invariants/, which answers the rows that offend. A file begins with its
 * sentence; further lines of comment may say
 *
 *   -- notice                      it is no fault, but somebody should know
 *   -- per schema with <table>     asked once in each schema that has this table
 *
 * `current_setting('doctor.grace')::interval` is how long something may be on its way.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Invariant {
  readonly name: string;
  readonly sentence: string;
  readonly isNotice: boolean;
  /** Undefined = it names its schemas itself. */
  readonly table: string | undefined;
  readonly sql: string;
}

const folder = join(import.meta.dirname, '../invariants');

export function readInvariants(): readonly Invariant[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .toSorted()
    .map((file) => readInvariant(file.replace('.sql', ''), readFileSync(join(folder, file), 'utf8')));
}

function readInvariant(name: string, sql: string): Invariant {
  const head = sql.split('\n').filter((line) => line.startsWith('-- '));
  const sentence = head[0]?.slice(3) ?? '';
  if (sentence === '') throw new Error(`${name} does not say in its first line what must hold`);
  return {
    name,
    sentence,
    isNotice: head.includes('-- notice'),
    table: head.map((line) => /^-- per schema with (\w+)$/.exec(line)?.[1]).find((table) => table !== undefined),
    sql,
  };
}
