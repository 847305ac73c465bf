/**
 * Outbox → carrier. One relay leads per schema; the others stand by.
 *
 * Order: rows are sent by id. Two messages of one aggregate are written under that aggregate's row lock, so the second
 * has the greater id and commits later; the relay can never see the second without the first. A transaction that commits
 * late with a smaller id is of another aggregate and is simply sent later: the relay asks for what is not sent, never
 * for `id > last`. Several aggregates may share a key (payments of one order): each keeps its own order, and between
 * them there is none to keep.
 */
import type { AnyDatabase } from '@tillstream/database/database';
import { inSpan } from '@tillstream/telemetry/trace';
import { probe } from '@tillstream/telemetry/probe';
import { leadershipOf } from './leadership.ts';
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
// A carrier ends its own tries earlier; this is for one that hangs.
const publishDeadlineMs = 20_000;

interface Row {
  id: bigint;
  topic: string;
  key: string;
  value: Buffer;
  headers: MessageHeaders;
}

// Not in a transaction: each is one statement, and the outbox is not under row-level security.
const findUnsent = {
  name: 'relay-find',
  text: `select id, topic, key, value, headers from outbox where sent_at is null order by id limit ${batch}`,
};
const markSent = { name: 'relay-mark', text: 'update outbox set sent_at = now() where id = any ($1::bigint[])' };

/** Its `stop` sends what is left, unless the carrier has just failed: that waits for the next start. */
export function startRelay(options: RelayOptions): Loop {
  const { database, carrier, log } = options;
  const leadership = leadershipOf(database.pool, 'tillstream relay');
  let carrierAnswers = true;
  const turn = async (): Promise<boolean> => {
    const connection = await leadership.lead();
    if (connection === undefined) return false;
    const { rows } = await connection.query<Row>(findUnsent);
    if (rows.length === 0) return false;
    // The messages keep the trace of what caused them; the span of sending only links to it.
    const links = rows.slice(0, 20).map((row) => row.headers.traceparent);
    const attributes = { 'messaging.operation.type': 'send', 'messaging.batch.message_count': rows.length };
    const messages = rows.map(({ topic, key, value, headers }) => ({ topic, key, value, headers }));
    probe('relay read');
    carrierAnswers = false;
    await inSpan(`send ${rows[0]?.topic ?? ''}`, { kind: 'client', links, attributes }, () =>
      withDeadline(carrier.publish(messages)),
    );
    carrierAnswers = true;
    probe('relay published');
    // A crash here publishes these twice; consumers know their ids.
    await connection.query({ ...markSent, values: [rows.map((row) => row.id)] });
    return rows.length === batch;
  };
  const loop = startLoop({
    name: `relay ${options.name}`,
    turn,
    idleMs: options.idleMs ?? 500,
    log,
    onWake: (listener) => onWake(database, listener),
  });
  return {
    stop: async () => {
      await loop.stop();
      if (carrierAnswers) await drain(turn, log);
      await leadership.release();
    },
  };
}

async function drain(turn: () => Promise<boolean>, log: Log): Promise<void> {
  try {
    while (await turn());
  } catch (error) {
    log.warn({ err: error }, 'the rest of the outbox is sent at the next start');
  }
}

function withDeadline(publishing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the carrier did not take the messages within ${publishDeadlineMs} ms`)),
      publishDeadlineMs,
    );
  });
  return Promise.race([publishing, deadline]).finally(() => clearTimeout(timer));
}
