/**
 * A real Postgres under the scheduler. One statement at a time is sent, and nothing else happens before it has been
 * answered or is seen to wait for a lock. `now()` is the history's time.
 */
import type { ServiceHome } from '@tillstream/database/migrate';
import { testDatabase } from '@tillstream/testkit/database';
import type { PoolConfig } from 'pg';
import type { Scheduler } from '../engine/scheduler.ts';
import { Backends, type Backend } from './backends.ts';
import { KeptRows } from './kept-rows.ts';
import { Settling } from './settling.ts';
import type { Answer, Connection, Ground, Statement } from './storage.ts';
import { findVirtualFirst, makeTimeVirtual, sayBegan, sayTime } from './virtual-now.ts';

const opens = /^(begin|set)\b/i;
const begins = /^begin\b/i;
const locks = /\bpg_(try_)?advisory_lock\b/i;
const undoes = /^rollback\b/i;
const listens = /^listen\b/i;

export async function postgresGround(homes: readonly ServiceHome[], scheduler: Scheduler): Promise<Ground> {
  const [first, ...more] = homes;
  if (first === undefined) throw new Error('no homes');
  const database = await testDatabase(first, ...more);
  const { admin } = database;
  const schemas = homes.map((home) => home.schema);
  const asksTime = await makeTimeVirtual(admin, schemas);
  // Who closes a circle of locks is told within the time in which a statement is thought to run.
  await admin.query(
    `do $$ begin execute format('alter database %I set deadlock_timeout = ''1ms''', current_database()); end $$`,
  );
  const settling = new Settling(admin);
  const backends = new Backends(admin, settling);
  const kept = new KeptRows(admin, schemas);
  let turn: Promise<unknown> = Promise.resolve();
  let lastConnected: Promise<unknown> = Promise.resolve();

  /** In one write with what opens its transaction, and with the time where the session does not know it. */
  const send = async (backend: Backend, opening: readonly string[], statement: Statement): Promise<Answer> => {
    const { client, pid } = backend;
    const { name, text, values } = statement;
    settling.begin(pid);
    const { nowMs } = scheduler.time;
    const before = backend.isStale ? ['reset all'] : [];
    if (backend.isStale || (backend.toldMs !== nowMs && asksTime(text))) {
      backend.toldMs = nowMs;
      before.push(sayTime(nowMs));
    }
    backend.isStale = false;
    const { stream } = client.connection;
    stream.cork();
    // The first of these alone: a rollback of the transaction that follows must not undo it.
    for (const each of [...(before.length > 0 ? [before.join('; ')] : []), ...opening])
      client.query(each).catch(() => (backend.toldMs = undefined));
    const asked = client.query({
      text,
      ...(name === undefined ? {} : { name }),
      ...(values === undefined ? {} : { values: [...values] }),
    });
    process.nextTick(() => stream.uncork());
    try {
      const answer = await asked;
      if (listens.test(text)) backend.isListening = true;
      if (locks.test(text)) backend.isLocking = true;
      // A server tells its listeners when it likes; here they have heard before anything else happens.
      if (text.includes('pg_notify('))
        await Promise.all(backends.listening().map((each) => each.client.query('select').catch(() => undefined)));
      return answer;
    } catch (error) {
      backend.toldMs = undefined;
      throw error;
    } finally {
      if (undoes.test(text)) backend.toldMs = undefined;
      settling.end(pid);
    }
  };

  const connect = async (config: PoolConfig): Promise<Connection> => {
    const options = findVirtualFirst(config.options);
    const { role, schema } = readPlace(config);
    const home = homes.find((each) => each.role === role || each.schema === schema) ?? first;
    const backend = await backends.lend({
      connectionString: database.urlOf(home),
      application_name: config.application_name ?? '',
      ...(options === undefined ? {} : { options }),
      ...(config.types === undefined ? {} : { types: config.types }),
    });
    let opening: string[] = [];
    let isDropped = false;
    return {
      query: (statement) => {
        // Of a process that was killed; its backend may be another's by now.
        if (isDropped) return new Promise<never>(() => undefined);
        const { text } = statement;
        // What opens a transaction, or says whose rows are seen, goes out with what follows. Its answer says nothing.
        if (opens.test(text)) {
          opening.push(begins.test(text) ? `${text}; ${sayBegan(scheduler.time.nowMs)}` : text);
          return { rows: [], rowCount: null, command: text.slice(0, text.indexOf(' ') >>> 0).toUpperCase() };
        }
        // Sent when the one before has been answered or waits for a lock.
        const isSent = Promise.withResolvers<void>();
        const together = opening;
        opening = [];
        const answer = turn.then(() => {
          const sent = isDropped ? new Promise<never>(() => undefined) : send(backend, together, statement);
          isSent.resolve();
          return sent;
        });
        turn = isSent.promise.then(() => settling.settled());
        scheduler.hold(turn);
        return answer;
      },
      onNotification: (listener) => (backend.onNotification = listener),
      drop: () => {
        isDropped = true;
        // The server rolls back before anything else happens; whose lock that frees goes on.
        const dropped = backends.drop(backend);
        turn = Promise.all([turn, dropped]).then(() => settling.settled());
        scheduler.hold(turn);
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
      const found = await admin.query(sql, [...values]);
      const rows: Row[] = found.rows;
      return rows;
    },
    async fresh() {
      await turn;
      await backends.dropAll();
      await kept.restore();
    },
    keep: () => kept.keep(),
    async close() {
      await backends.close();
      await database.drop();
    },
  };
}

/** `simulated://role/schema` */
function readPlace(config: PoolConfig): { role: string; schema: string } {
  const url = new URL(config.connectionString ?? '');
  return { role: url.hostname, schema: url.pathname.slice(1) };
}
