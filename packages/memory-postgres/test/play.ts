/** Plays a story on both storages and says where they part. */
import type { ServiceHome } from '@tillstream/database/migrate';
import { testDatabase } from '@tillstream/testkit/database';
import type { MemoryServer } from '../src/server.ts';
import { Side, rowsOf, type Outcome } from './sides.ts';
import type { Step } from './story.ts';

interface Asked {
  readonly at: number;
  readonly step: Step;
  readonly real: Promise<Outcome>;
  readonly memory: Promise<Outcome>;
  known: { real?: Outcome; memory?: Outcome };
}

const settled = async () => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const isPicky = (text: string): boolean => !/limit 1\b|distinct on|limit \(/.test(text);

/** The same but for the words; of statements that take any of several equal rows only the number counts. */
function differs(step: Step, real: Outcome, memory: Outcome): boolean {
  const told = ({ code, constraint, command, count, rows }: Outcome) =>
    JSON.stringify([
      code,
      code === '23514' || code === '23505' ? constraint : '',
      command,
      count,
      isPicky(step.text) ? rows : '',
    ]);
  if (told(real) === told(memory)) return false;
  // Several rows, each with a fault of its own: which is met first is nobody's promise.
  const several = step.values.some(
    (value) => (Array.isArray(value) && value.length > 1) || /^\[\{.*\},\{/.test(String(value)),
  );
  return !(several && real.code?.startsWith('23') === true && memory.code?.startsWith('23') === true);
}

/** Undefined: they agree. */
export async function play(
  home: ServiceHome,
  filled: MemoryServer,
  steps: readonly Step[],
): Promise<string | undefined> {
  const database = await testDatabase(home);
  const server = filled.fork();
  const [real, memory] = [await Side.onPostgres(database, home), await Side.inMemory(server, home)];
  const open: (Asked | undefined)[] = [undefined, undefined];

  /** Waits until both have answered, or both wait for a lock. */
  const look = async (): Promise<string | undefined> => {
    await settled();
    for (const asked of open) {
      if (asked === undefined) continue;
      for (const endAt = Date.now() + 10_000; ;) {
        const { known, step, at } = asked;
        if (known.real !== undefined && known.memory !== undefined) {
          open[step.connection] = undefined;
          if (differs(step, known.real, known.memory)) return told(at, step, known.real, known.memory);
          break;
        }
        if (known.real === undefined && known.memory === undefined && (await real.isWaiting(step.connection))) break;
        if (Date.now() > endAt) return told(at, step, known.real ?? 'waits', known.memory ?? 'waits');
        await settled();
      }
    }
    return undefined;
  };

  try {
    for (const [at, step] of steps.entries()) {
      if (open[step.connection] !== undefined) continue;
      const [asked, other] = [real, memory].map((side) => side.ask(step.connection, step.text, step.values)) as [
        Promise<Outcome>,
        Promise<Outcome>,
      ];
      const both: Asked = { at, step, real: asked, memory: other, known: {} };
      const failed = (error: unknown): Outcome => ({ code: 'no answer', message: String(error) });
      void asked.catch(failed).then((outcome) => (both.known.real = outcome));
      void other.catch(failed).then((outcome) => (both.known.memory = outcome));
      open[step.connection] = both;
      const difference = await look();
      if (difference !== undefined) return difference;
    }
    return await sameTables(database, server, home, steps.length);
  } finally {
    await memory.close();
    // What still waits on the server ends with its database.
    await database.admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await Promise.allSettled(open.flatMap((asked) => (asked === undefined ? [] : [asked.real])));
    await real.close();
    await database.drop();
  }
}

/** What is committed in the end. */
async function sameTables(
  database: Awaited<ReturnType<typeof testDatabase>>,
  server: MemoryServer,
  home: ServiceHome,
  at: number,
): Promise<string | undefined> {
  const admin = server.pool({});
  for (const [name, table] of server.state.catalog.tables) {
    if (table.schema !== home.schema) continue;
    const text = `select * from "${table.schema}"."${table.name}"`;
    const [real, memory] = [rowsOf((await database.admin.query(text)).rows), rowsOf((await admin.query(text)).rows)];
    if (JSON.stringify(real) !== JSON.stringify(memory)) {
      return `${at}. in the end ${name} has\n  Postgres ${real.join('\n    ')}\n  memory   ${memory.join('\n    ')}`;
    }
  }
  return undefined;
}

const told = (at: number, step: Step, real: Outcome | string, memory: Outcome | string): string =>
  `${at}. ${line(step)}\n  Postgres ${JSON.stringify(real)}\n  memory   ${JSON.stringify(memory)}`;

export const line = (step: Step): string =>
  `${step.connection}: ${step.text.replaceAll(/\s+/g, ' ').trim()} ${JSON.stringify(step.values, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))}`;

/** The shortest story found that still shows a difference. */
export async function shorten(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<string | undefined>,
  tries: number,
): Promise<{ steps: readonly Step[]; difference: string }> {
  let best = { steps, difference: (await fails(steps)) ?? '' };
  const cut = Number(/^\d+/.exec(best.difference)?.[0] ?? steps.length) + 1;
  best = { ...best, steps: steps.slice(0, cut) };
  let left = tries;
  for (
    let size = Math.ceil(best.steps.length / 2);
    size >= 1 && left > 0;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = best.steps.length - size; from >= 0 && left > 0; from -= size) {
      left -= 1;
      const without = best.steps.toSpliced(from, size);
      const difference = await fails(without);
      if (difference !== undefined) best = { steps: without, difference };
    }
  }
  return best;
}
