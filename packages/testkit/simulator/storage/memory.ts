/** Rows in memory: the engine of testkit, which runs the product's own SQL over Maps. A history begins with a copy. */
import type { ServiceHome } from '@tillstream/database/migrate';
import { NotKnown } from '@tillstream/memory-postgres/errors';
import { MemoryServer } from '@tillstream/memory-postgres/server';
import type { Pool, PoolConfig } from 'pg';
import { runAs, nobody } from '../engine/owner.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Connection, Ground, Statement } from './storage.ts';

export async function memoryGround(homes: readonly ServiceHome[], scheduler: Scheduler): Promise<Ground> {
  const options = { now: () => scheduler.time.nowMs };
  let kept = new MemoryServer(options);
  for (const home of homes) await kept.migrate(home);
  let server = kept;
  let judge: Pool | undefined;
  // The service would take it for an error of the server; this history cannot be told here.
  const refuse = (error: unknown, text: string): never => {
    if (error instanceof NotKnown) scheduler.fail(error.of(text));
    throw error;
  };
  return {
    tellsCommits: true,
    async connect(config: PoolConfig): Promise<Connection> {
      const home = homes.find((each) => config.connectionString === `simulated://${each.role}/${each.schema}`);
      if (home === undefined) throw new Error('no service has this address');
      const client = server.connection({ ...config, connectionString: server.url(home) });
      client.on('error', () => undefined);
      return {
        query: ({ text, values }: Statement) => {
          try {
            const answer = client.ask(text, values ?? []);
            if (!(answer instanceof Promise)) return answer;
            return answer.then(only, (error: unknown) => refuse(error, text));
          } catch (error) {
            return refuse(error, text);
          }
        },
        onNotification: (listener) => client.on('notification', listener),
        // Whoever asked is gone, or is told by the pool in front.
        drop: () => void client.end(),
      };
    },
    async look<Row>(sql: string, values: readonly unknown[] = []) {
      judge ??= server.pool({ application_name: 'judge', max: 1 });
      const { rows } = await judge.query(sql, [...values]);
      const all: Row[] = rows;
      return all;
    },
    async fresh(onCommit) {
      server = runAs(nobody, () => kept.fork(options));
      server.state.onCommit = onCommit;
      judge = undefined;
    },
    async keep() {
      await judge?.end();
      judge = undefined;
      kept = server;
    },
    close: async () => undefined,
  };
}

function only<T>(answer: T | readonly T[]): T {
  const [first] = Array.isArray(answer) ? (answer as readonly T[]) : [answer as T];
  if (first === undefined) throw new Error('several statements in one text are not simulated');
  return first;
}
