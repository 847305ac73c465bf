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
import { Pause } from './pause.ts';
import { onHurry, onWake } from './wake.ts';

export interface RelayOptions {
  readonly name: string;
  readonly database: AnyDatabase;
  readonly carrier: Carrier;
  readonly log: Log;
  /** How long a commit of another process may wait. Default 500 ms. */
  readonly idleMs?: number;
}

const batch = 500;
// Under load what is said within this time is sent together, and all relays of a process look at the same moments: what they
// publish then is one commit of the embedded carrier.
const gatherMs = 20;
// What was sent is marked together with what is sent next, or after this time.
const markMs = 100;
// A carrier ends its own tries earlier; this is for one that hangs.
const publishDeadlineMs = 20_000;

interface Row {
  id: bigint;
  topic: string;
  key: string;
  value: Buffer;
  headers: MessageHeaders;
}

// Marks what was sent the last time and finds what is to be sent now, in one statement. It sees what was there before its
// own marks, so it leaves those out.
const markAndFind = {
  name: 'relay-next',
  text: `
    with marked as (update outbox set sent_at = now() where id = any ($1::bigint[]))
    select id, topic, key, value, headers from outbox where sent_at is null and id <> all ($1::bigint[]) order by id limit ${batch}`,
};

/** Its `stop` sends what is left, unless the carrier has just failed: that waits for the next start. */
export function startRelay(options: RelayOptions): Loop {
  const { database, carrier, log } = options;
  const leadership = leadershipOf(database.pool, 'tillstream relay');
  let carrierAnswers = true;
  // Sent and not marked yet. A crash before the mark publishes them twice; consumers know their ids.
  let sent: readonly bigint[] = [];
  let readAt = 0;
  // A read is still to come that finds what is committed now.
  let willRead = false;
  const gathering = new Pause();
  // Who waits for what was sent looks whether it is marked: that follows at once.
  let isMarkWanted = false;
  const turn = async (): Promise<boolean> => {
    const connection = await leadership.lead();
    // Whoever leads now sends again what we did not mark.
    if (connection === undefined) sent = [];
    if (connection === undefined) return false;
    const nowMs = performance.now();
    willRead = true;
    const mayGather = nowMs - readAt < gatherMs && !isMarkWanted;
    const isWaitedFor = await gathering.rest(mayGather ? gatherMs - (nowMs % gatherMs) : 0);
    willRead = false;
    readAt = performance.now();
    const { rows } = await connection.query<Row>({ ...markAndFind, values: [sent] });
    sent = [];
    isMarkWanted = false;
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
    sent = rows.map((row) => row.id);
    isMarkWanted = isWaitedFor;
    return rows.length === batch || isWaitedFor;
  };
  const loop = startLoop({
    name: `relay ${options.name}`,
    turn,
    idleMs: () => (sent.length > 0 ? markMs : (options.idleMs ?? 500)),
    log,
    onWake: (listener) => {
      const forget = [
        onWake(database, () => willRead || listener()),
        onHurry(database, (hasUnsent) => {
          if (!hasUnsent) return gathering.haste();
          gathering.cut();
          if (!willRead) listener();
        }),
      ];
      return () => forget.forEach((each) => each());
    },
  });
  return {
    stop: async () => {
      await loop.stop();
      if (carrierAnswers) await drain(async () => (await turn()) || sent.length > 0, log);
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
