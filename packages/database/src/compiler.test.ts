import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely';
import { expect, test } from 'vitest';
import { RememberingCompiler } from './compiler.ts';

const of = (compiler: PostgresQueryCompiler) =>
  new Kysely<object>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => compiler,
    },
  });
const [plain, remembering] = [of(new PostgresQueryCompiler()), of(new RememberingCompiler())];
const seen = sql`seen`;
const since = (days: number) => sql`at > now() - ${days}::int`;
const both = (first: unknown, second: unknown) => sql`select ${first}, ${second}`;

// The same place with other templates in it, other values, and what is no template.
const statements = (value: unknown) => [
  sql`select 1`,
  sql`select ${value}`,
  ...[
    seen,
    since(1),
    sql`not ${since(2)}`,
    sql.ref('a.b'),
    sql.raw('true'),
    sql.lit(7),
    sql.join([value, 2, seen]),
  ].map((condition) => sql`select ${value} where ${condition} and x = ${[value]}`),
  both(value, 2),
  both(value, seen),
  both(seen, value),
  both(since(3), seen),
  both(seen, since(3)),
];

test.each(['a', 7n, null, 'a'])('what is remembered is what kysely writes: %s', (value) => {
  for (const statement of statements(value)) {
    const [{ sql: text, parameters }, wanted] = [statement.compile(remembering), statement.compile(plain)];
    expect({ text, parameters }).toEqual({ text: wanted.sql, parameters: wanted.parameters });
  }
});
