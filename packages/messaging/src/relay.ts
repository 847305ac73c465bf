/**
 * Outbox → carrier. One relay leads per schema (an advisory lock held by one connection); the others stand by.
 *
 * Order: rows are sent by id. Two messages of one aggregate are written under that aggregate's row lock, so the second
 * has the greater id and commits later; the relay can never see the second without the first. A transaction that commits
 * late with a smaller id is of another aggregate and is simply sent later: the relay asks for what is not sent, never
 * for `id > last`.
 */
import type { AnyDatabase } from '@tillstream/database/database';
import { inSpan } from '@tillstream/telemetry/trace';
import { sql } from 'kysely';
import type { PoolClient } from 'pg';
import type { Log } from './log.ts';
import { startLoop, type Loop } from './loop.ts';
import type { Carrier, MessageHeaders } from './message.ts';
import { onWake } from './wake.ts';

export interface RelayOptions {
  readonly name: string;
  readonly database: AnyDatabase;
  readonly carrier: Carrier;
  readonly log: Log;
  /** How long a commit of another process may wait. Default 500 ms. */
  readonly idleMs?: number;
}

const batch = 500;
// A broker that is away must not hold the relay for ever: kafkajs would wait without end.
const publishDeadlineMs = 10_000;

interface Row {
  id: bigint;
  topic: string;
  key: string;
  value: Buffer;
  headers: MessageHeaders;
}

export function startRelay(options: RelayOptions): Loop {
  const { database, carrier, log } = options;
  const leadership = leaderOf(database);
  const turn = async (): Promise<boolean> => {
    if (!(await leadership.isLeader())) return false;
    const rows = await database.untyped('the relay sends the messages of all merchants', async (tx) => {
      const found = await sql<Row>`select id, topic, key, value, headers from outbox where sent_at is null order by id limit ${batch}`.execute(tx);
      return found.rows;
    });
    if (rows.length === 0) return false;
    await inSpan(`send ${options.name} outbox`, { kind: 'client', links: rows.slice(0, 20).map((row) => row.headers.traceparent), attributes: { 'messaging.batch.message_count': rows.length } }, () =>
      withDeadline(carrier.publish(rows.map(({ topic, key, value, headers }) => ({ topic, key, value, headers })))),
    );
    // A crash here publishes these twice; consumers know their ids.
    const ids = rows.map((row) => row.id);
    await database.untyped('the relay marks what is sent', (tx) => sql`update outbox set sent_at = now() where id = any (${ids}::bigint[])`.execute(tx));
    return rows.length === batch;
  };
  const loop = startLoop({ name: `relay ${options.name}`, turn, idleMs: options.idleMs ?? 500, log, onWake: (listener) => onWake(database, listener) });
  return {
    stop: async () => {
      await loop.stop();
      await leadership.release();
    },
  };
}

function withDeadline(publishing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the carrier did not take the messages within ${publishDeadlineMs} ms`)), publishDeadlineMs);
  });
  return Promise.race([publishing, deadline]).finally(() => clearTimeout(timer));
}

/** A session-level advisory lock: it ends with its connection, so a crashed leader is followed at once. */
function leaderOf(database: AnyDatabase): { isLeader(): Promise<boolean>; release(): Promise<void> } {
  let client: PoolClient | undefined;
  let leads = false;
  const lose = () => {
    client?.release(true);
    client = undefined;
    leads = false;
  };
  const open = async (): Promise<PoolClient> => {
    const connection = await database.pool.connect();
    connection.once('error', lose);
    connection.once('end', lose);
    client = connection;
    return connection;
  };
  return {
    async isLeader() {
      if (leads) return true;
      const connection = client ?? (await open());
      const result = await connection.query<{ leads: boolean }>(
        'select pg_try_advisory_lock(hashtext($1), hashtext(current_schema())) as leads',
        ['tillstream relay'],
      );
      leads = result.rows[0]?.leads === true && client === connection;
      if (!leads) {
        connection.off('error', lose);
        connection.off('end', lose);
        connection.release();
        client = undefined;
      }
      return leads;
    },
    async release() {
      client?.off('end', lose);
      client?.release(true);
      client = undefined;
      leads = false;
    },
  };
}
