/**
 * A real Postgres under the scheduler. One statement at a time is sent, and nothing else happens before it has been
 * answered or is seen to wait for a lock. `now()` is the history's time: a function of the same name that is found first.
 */
import type { ServiceHome } from '@tillstream/database/migrate';
import { testDatabase } from '@tillstream/testkit/database';
import { Client, type PoolConfig } from 'pg';
import type { Scheduler } from '../engine/scheduler.ts';
import { realImmediate, realTimeout } from '../engine/time.ts';
import type { Answer, Connection, Ground, Statement } from './storage.ts';

const clockFunctions = `
  create schema simulated;
  create unlogged table simulated.clock (at timestamptz not null);
  insert into simulated.clock values (pg_catalog.now());
  create function simulated.now() returns timestamptz language sql stable as
    'select coalesce(nullif(current_setting(''simulated.began'', true), '''')::timestamptz, (select at from simulated.clock))';
  create function simulated.clock_timestamp() returns timestamptz language sql stable as 'select at from simulated.clock';
  grant usage on schema simulated to public;
  grant select on simulated.clock to public`;

const defaults = `
  select format('alter table %I.%I alter column %I set default simulated.%s()', n.nspname, c.relname, a.attname,
                split_part(pg_get_expr(d.adbin, d.adrelid), '(', 1)) as change
  from pg_attrdef d join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
  where pg_get_expr(d.adbin, d.adrelid) in ('now()', 'clock_timestamp()')`;

interface Busy {
  readonly pid: number;
  isDone: boolean;
}

export async function postgresGround(homes: readonly ServiceHome[], scheduler: Scheduler): Promise<Ground> {
  const [first, ...more] = homes;
  if (first === undefined) throw new Error('no homes');
  const database = await testDatabase(first, ...more);
  await database.admin.query(clockFunctions);
  const { rows } = await database.admin.query<{ change: string }>(defaults);
  for (const { change } of rows) await database.admin.query(change);
  const tables = await database.admin.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = any ($1)`,
    [homes.map((home) => home.schema)],
  );
  const all = tables.rows.map((row) => row.name);
  const copyOf = (name: string) => `simulated."${name.replaceAll(/\W/g, '_')}"`;
  const busy = new Set<Busy>();
  const listening = new Set<Client>();
  let toldMs = 0;
  let turn: Promise<unknown> = Promise.resolve();
  let lastConnected: Promise<unknown> = Promise.resolve();
  const tellTime = async (): Promise<void> => {
    if (toldMs === scheduler.time.nowMs) return;
    toldMs = scheduler.time.nowMs;
    await database.admin.query('update simulated.clock set at = $1', [new Date(toldMs)]);
  };
  /** Resolves when each statement under way has been answered, or waits for a lock. */
  const settled = async (): Promise<void> => {
    for (;;) {
      for (let tries = 0; tries < 4 && busy.size > 0; tries += 1)
        await new Promise((resolve) => realImmediate(resolve));
      if (busy.size === 0) return;
      const pids = [...busy].map((each) => each.pid);
      const { rows: waiting } = await database.admin.query<{ pid: number }>(
        `select pid from pg_stat_activity where pid = any ($1) and state = 'active' and wait_event_type = 'Lock'`,
        [pids],
      );
      const blocked = new Set(waiting.map((row) => row.pid));
      if ([...busy].every((each) => blocked.has(each.pid))) return;
      await new Promise((resolve) => realTimeout(resolve, 1));
    }
  };
  const send = async (client: Client, pid: number, { name, text, values }: Statement): Promise<Answer> => {
    const mine: Busy = { pid, isDone: false };
    // Before the server is told the time: nothing else happens meanwhile either.
    busy.add(mine);
    try {
      await tellTime();
      const answer = await client.query({
        text,
        ...(name === undefined ? {} : { name }),
        ...(values === undefined ? {} : { values: [...values] }),
      });
      // now() stands still in a transaction.
      if (/^begin\b/i.test(text)) await client.query(`set local simulated.began = '${new Date(toldMs).toISOString()}'`);
      if (/^listen\b/i.test(text)) listening.add(client);
      // A server tells its listeners when it likes; here they have heard before anybody goes on.
      if (text.includes('pg_notify('))
        await Promise.all([...listening].map((each) => each.query('select').catch(() => undefined)));
      return answer;
    } finally {
      busy.delete(mine);
    }
  };
  const connect = async (config: PoolConfig): Promise<Connection> => {
    const search = config.options?.replace(/search_path=(\S+)/, 'search_path=$1,simulated,pg_catalog');
    const { role, schema } = readPlace(config);
    const home = homes.find((each) => each.role === role || each.schema === schema) ?? first;
    const client = new Client({
      connectionString: database.urlOf(home),
      application_name: config.application_name ?? '',
      ...(search === undefined ? {} : { options: search }),
      ...(config.types === undefined ? {} : { types: config.types }),
    });
    client.on('error', () => undefined);
    await client.connect();
    const pid = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;
    return {
      query: (statement) => {
        // Sent when the one before has been answered or waits for a lock; also what opens a transaction, which is no operation.
        const isSent = Promise.withResolvers<void>();
        const answer = turn.then(() => {
          const sent = send(client, pid, statement);
          isSent.resolve();
          return sent;
        });
        turn = isSent.promise.then(settled);
        scheduler.hold(turn);
        return answer;
      },
      onNotification: (listener) =>
        client.on('notification', ({ channel, payload = '' }) => listener({ channel, payload })),
      drop: () => {
        listening.delete(client);
        // The server rolls back as soon as it sees that nobody is there; it is told to see it now.
        scheduler.hold(
          database.admin
            .query('select pg_terminate_backend($1, 1000)', [pid])
            .catch(() => undefined)
            .then(() => client.end().catch(() => undefined)),
        );
      },
    };
  };
  return {
    tellsCommits: false,
    connect(config: PoolConfig): Promise<Connection> {
      // One after the other, so that who asked first has one first, as in memory.
      const connecting = lastConnected.then(() => connect(config));
      lastConnected = connecting.catch(() => undefined);
      scheduler.hold(connecting.catch(() => undefined));
      return connecting;
    },
    async look<Row>(sql: string, values: readonly unknown[] = []) {
      const found = await database.admin.query(sql, [...values]);
      const rows: Row[] = found.rows;
      return rows;
    },
    async fresh() {
      const filled = all.map((name) => `insert into ${name} overriding system value select * from ${copyOf(name)}`);
      await database.admin.query(
        `set session_replication_role = replica; truncate ${all.join(', ')}; ${filled.join('; ')};
         select setval(name::regclass, value, is_called) from simulated.sequences`,
      );
    },
    async keep() {
      for (const name of all)
        await database.admin.query(
          `drop table if exists ${copyOf(name)}; create unlogged table ${copyOf(name)} as table ${name}`,
        );
      await database.admin.query(
        `drop table if exists simulated.sequences;
         create table simulated.sequences as
           select format('%I.%I', schemaname, sequencename) as name, coalesce(last_value, start_value) as value, last_value is not null as is_called
           from pg_sequences where schemaname = any (string_to_array('${homes.map((home) => home.schema).join(',')}', ','))`,
      );
    },
    close: () => database.drop(),
  };
}

/** `simulated://role/schema` */
function readPlace(config: PoolConfig): { role: string; schema: string } {
  const url = new URL(config.connectionString ?? '');
  return { role: url.hostname, schema: url.pathname.slice(1) };
}
