/**
 * vitest's set-up of each file when STATEMENTS is set: hears what services send to Postgres. STATEMENTS=check fails a file whose
 * services send what the in-memory Postgres was never tried with; STATEMENTS=record adds it to the list.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll } from 'vitest';

const file = new URL('../../memory-postgres/test/statements.json', import.meta.url);
const read = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, string[]>;

const heard = new Map<string, Set<string>>();
const { prototype } = Client;
const query: (...args: readonly unknown[]) => unknown = Reflect.get(prototype, 'query');

Object.defineProperty(prototype, 'query', {
  value(this: { user?: string; connectionParameters: { options?: string } }, ...asked: [unknown]) {
    const [first] = asked;
    const text = typeof first === 'string' ? first : (first as { text?: unknown } | undefined)?.text;
    const schema = /search_path=(\w+)/.exec(this.connectionParameters.options ?? '')?.[1];
    if (schema !== undefined && this.user === `tillstream_${schema}` && typeof text === 'string' && isOurs(text)) {
      heard.set(schema, (heard.get(schema) ?? new Set()).add(text));
    }
    return query.apply(this, asked);
  },
});

const schemas = Object.keys(read()).join('|');
const namesSchema = new RegExp(String.raw`\b(from|into|update|join)\s+"?(${schemas})"?\.`);

/** Not the looks that tests take at the server itself, nor what they say of a schema by its name. */
const isOurs = (text: string): boolean =>
  /^\s*(select|insert|update|delete|with)\b/i.test(text) &&
  !/\bpg_(stat|class|roles|terminate|backend|sleep|settings|advisory)/.test(text) &&
  !namesSchema.test(text);

afterAll(() => {
  const list = read();
  const known = new Set(Object.values(list).flat());
  const fresh = [...heard].flatMap(([schema, texts]) =>
    list[schema] === undefined ? [] : [...texts].filter((text) => !known.has(text)).map((text) => ({ schema, text })),
  );
  if (fresh.length === 0) return;
  if (process.env['STATEMENTS'] !== 'record') {
    const shown = fresh.map(({ schema, text }) => `${schema}: ${text}`).join('\n');
    throw new Error(`not in the list of statements that are tried in memory (npm run statements):\n${shown}`);
  }
  for (const { schema, text } of fresh) list[schema] = [...(list[schema] ?? []), text].toSorted();
  writeFileSync(file, `${JSON.stringify(list, null, 2)}\n`);
});
