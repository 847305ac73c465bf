/** One database with the schemas that a race needs, and two of each service on it: as two processes would be. */
import { openDatabase, type Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import { wallClock, type Clock } from '@tillstream/messaging/clock';
import type { IncomingMessage } from '@tillstream/messaging/message';
import type { Client, RpcChannel } from '@tillstream/rpc/client';
import type { ServiceApp } from '@tillstream/service/app';
import { startApp } from '@tillstream/testkit/app';
import { testDatabase, type TestDatabase } from '@tillstream/testkit/database';
import { quietLog } from '@tillstream/testkit/log';
import { Pool } from 'pg';
import { plants } from '@tillstream/testkit/mutants/plants';

export const merchantId = '01890000-0000-7000-8000-000000000001';
export const vaultKeys = `k1:${Buffer.alloc(32, 5).toString('base64')}`;

export interface OwnParts<Schema> {
  readonly database: Database<Schema>;
  readonly clock: Clock;
  readonly log: ReturnType<typeof quietLog>;
}

export interface Instance {
  readonly app: ServiceApp;
  readonly channel: RpcChannel;
  client<S extends object>(definition: S): Client<S>;
  /** Hands messages to its subscription, as its consumer would. */
  hear(...batch: readonly IncomingMessage[]): Promise<void>;
}

export interface Stage {
  readonly place: TestDatabase;
  /** As the superuser: the rows of all schemas. */
  rows<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  open<Schema>(home: ServiceHome): Database<Schema>;
  /** Two of a service. They answer rpc; messages, timers and workers run only when the race makes them. */
  two<Schema>(home: ServiceHome, make: (own: OwnParts<Schema>) => ServiceApp): Promise<readonly [Instance, Instance]>;
  /** An edge on a free port; answers where. */
  listen(edge: ServiceApp): Promise<string>;
  /** Closed with the stage, the latest first. */
  closing(close: () => Promise<unknown>): void;
  close(): Promise<void>;
}

export async function openStage(home: ServiceHome, ...more: readonly ServiceHome[]): Promise<Stage> {
  const place = await testDatabase(home, ...more);
  const planted = plants.find(({ id }) => id === process.env['TILL_MUTANT']);
  if (planted !== undefined && planted.sql !== '') await place.admin.query(planted.sql);
  // Looking on, many at once.
  const looking = new Pool({ connectionString: place.adminUrl, max: 4 });
  // It says that it has ended when its connections still are: the database is dropped under them.
  looking.on('error', () => undefined);
  const closes: (() => Promise<unknown>)[] = [() => place.drop(), () => looking.end()];
  const open = <Schema>(of: ServiceHome): Database<Schema> => {
    const database = openDatabase<Schema>({ url: place.urlOf(of), schema: of.schema, applicationName: of.name });
    closes.push(() => database.close());
    return database;
  };
  const one = async <Schema>(of: ServiceHome, make: (own: OwnParts<Schema>) => ServiceApp): Promise<Instance> => {
    const own = { database: open<Schema>(of), clock: wallClock, log: quietLog() };
    const app = make(own);
    const rpcAlone = { ...app, topics: [], subscriptions: [], timers: [], workers: [] };
    const started = await startApp(rpcAlone, { clock: own.clock, log: own.log });
    closes.push(() => started.stop());
    const [subscription] = app.subscriptions;
    return {
      app,
      channel: started.channel,
      client: (definition) => started.client(definition),
      hear: async (...batch) => {
        if (batch.length > 0) await subscription?.handle(batch);
      },
    };
  };
  return {
    place,
    async rows<Row extends object>(text: string, values: readonly unknown[] = []) {
      const { rows } = await looking.query<Row>(text, [...values]);
      return rows;
    },
    open,
    two: async (of, make) => [await one(of, make), await one(of, make)],
    async listen({ http }) {
      const url = String(await http?.listen({ port: 0, host: '127.0.0.1' }));
      closes.push(async () => http?.close());
      return url;
    },
    closing: (close) => closes.push(close),
    async close() {
      for (const close of closes.toReversed()) await close();
    },
  };
}

/** Half of them here, half there. */
export function alternate<T>(two: readonly [T, T], nth: number): T {
  return two[nth % 2 === 0 ? 0 : 1];
}
