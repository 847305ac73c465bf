/** Stories of two connections, drawn at random: our own statements with few values, so that they meet. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServiceHome } from '@tillstream/database/migrate';
import type { MemoryServer } from '../src/server.ts';

export interface Step {
  readonly connection: 0 | 1;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Small, and the same for the same seed. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const ids = [1, 2, 3].map((each) => `00000000-0000-7000-8000-00000000000${each}`);
const times = ['2020-01-01', '2021-05-05', '2090-01-01', '2091-05-05'].map((day) => new Date(`${day}T00:00:00.000Z`));
export const fixed = new Set<unknown>([...ids, ...times.map((time) => time.getTime())]);

interface Table {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

export class Storyteller {
  readonly #random: (below: number) => number;
  readonly #server: MemoryServer;
  readonly #home: ServiceHome;
  readonly #words: readonly string[];

  constructor(seed: number, server: MemoryServer, home: ServiceHome) {
    [this.#random, this.#server, this.#home] = [random(seed), server, home];
    this.#words = wordsOf(home.migrations);
  }

  /** `statements` that change something come more often. */
  tell(statements: readonly string[], length: number): Step[] {
    const inserts = statements.filter((text) => /\binsert into\b/i.test(text));
    const changes = statements.filter((text) => /\b(update|delete)\b/i.test(text));
    const isOpen: [boolean, boolean] = [false, false];
    return Array.from({ length }, (_, at): Step => {
      const connection = this.#random(2) === 0 ? 0 : 1;
      if (!isOpen[connection] && this.#random(3) > 0) {
        isOpen[connection] = true;
        return { connection, text: `begin; set local tillstream.every_merchant = 'on'`, values: [] };
      }
      if (isOpen[connection] && this.#random(6) === 0) {
        isOpen[connection] = false;
        return { connection, text: this.#random(5) === 0 ? 'rollback' : 'commit', values: [] };
      }
      const dice = this.#random(10);
      const list = at < length / 4 || dice < 4 ? inserts : dice < 8 ? changes : statements;
      const text = this.#one(list.length > 0 ? list : statements);
      return { connection, text, values: this.#values(text) };
    });
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#random(list.length)] as T;
  }

  #values(text: string): unknown[] {
    const rows = 1 + this.#random(3);
    return this.#server.describe(this.#home, text).map((type, at) => {
      if (new RegExp(`limit \\$${at + 1}\\b`).test(text)) return 100;
      const target = new RegExp(`populate_recordset\\(null::(\\w+), \\$${at + 1}::`).exec(text)?.[1];
      if (target !== undefined)
        return JSON.stringify(Array.from({ length: rows }, () => this.#row(this.#table(target))));
      if (type.endsWith('[]')) return Array.from({ length: rows }, () => this.#value(type.slice(0, -2)));
      return this.#random(15) === 0 ? null : this.#value(type);
    });
  }

  #table(name: string): Table {
    return this.#server.state.catalog.table([this.#home.schema], undefined, name);
  }

  #row(table: Table): Record<string, unknown> {
    return Object.fromEntries(
      table.columns.map(({ name, type }) => {
        const value = type.endsWith('[]') ? [this.#value(type.slice(0, -2))] : this.#value(type);
        return [name, type === 'jsonb' ? JSON.parse(String(value)) : typeof value === 'bigint' ? String(value) : value];
      }),
    );
  }

  #value(type: string): unknown {
    switch (type) {
      case 'uuid':
        return this.#one(ids);
      case 'int2':
      case 'int4':
        return this.#random(4);
      case 'int8':
        return BigInt(this.#random(4));
      case 'float8':
      case 'numeric':
        return this.#random(2) * 1_000;
      case 'bool':
        return this.#random(2) === 0;
      case 'timestamptz':
        return this.#one(times);
      case 'interval':
        return this.#one(['1 hour', '400 days']);
      case 'bytea':
        return Buffer.from([this.#random(3)]);
      case 'jsonb':
        return this.#one(['{"b":1,"aa":[1,{"z":null}]}', '[{"a":"x"}]', '[]']);
      default:
        return this.#random(3) === 0 ? this.#one(this.#words) : this.#one(['a', 'b']);
    }
  }
}

/** What the checks of the tables allow is found in their words. */
function wordsOf(migrations: URL): readonly string[] {
  const folder = fileURLToPath(migrations);
  const text = readdirSync(folder).map((file) => readFileSync(`${folder}/${file}`, 'utf8'));
  const words = [...text.join('\n').matchAll(/'([a-zA-Z_ ]{2,20})'/g)].map((match) => match[1] as string);
  return [...new Set([...words, 'EUR', '0'.repeat(32)])];
}
