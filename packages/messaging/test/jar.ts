/** The smallest machine with everything: a jar that is opened, gets coins, rings a timer, and is sealed. */
import { randomUUID } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { ServiceHome } from '@tillstream/database/migrate';
import { accept, ignore, refuse, type Machine } from '@tillstream/machine/machine';
import { sql, type Generated, type Kysely } from 'kysely';
import { VersionConflict, type Change, type Envelope, type Keeper, type Loaded } from '@tillstream/messaging/keeper';
import type { IncomingMessage } from '@tillstream/messaging/message';
import { messagingMigrations } from '@tillstream/messaging/migrations';
import { firstSight } from '@tillstream/messaging/once';
import { toMessage } from '@tillstream/messaging/outgoing';

export type Jar =
  | { readonly status: 'absent' }
  | { readonly status: 'open' | 'sealed'; readonly merchantId: string; readonly coins: bigint };
export type JarCommand =
  | { readonly type: 'open' }
  | { readonly type: 'put'; readonly coins: bigint }
  | { readonly type: 'seal' };
export type JarEvent =
  | { readonly type: 'opened'; readonly merchantId: string }
  | { readonly type: 'coinsPut'; readonly coins: bigint }
  | { readonly type: 'sealed' };
export type JarRefusal = 'jar_not_found' | 'jar_sealed';

export interface JarTables {
  jar: { id: string; merchant_id: string; status: string; coins: bigint; version: number };
  effect: { id: Generated<bigint>; key: string; text: string };
  outbox: {
    id: bigint;
    event_id: string;
    key: string;
    value: Buffer;
    headers: { traceparent: string };
    version: bigint;
    sent_at: Date | null;
  };
  inbox: { consumer: string; message_id: string };
  timer: {
    machine: string;
    aggregate_id: string;
    kind: string;
    timer_id: string;
    due_at: Date;
  };
}

export const home: ServiceHome = {
  name: 'jars',
  schema: 'jars',
  role: 'tillstream_jars',
  migrations: new URL('migrations/', import.meta.url),
  shared: [messagingMigrations],
};
export const topic = { name: 'tillstream.jars.events.v1', partitions: 4, message: 'tillstream.jars.v1.JarEvent' };
export const merchant = randomUUID();
export const now = new Date('2026-11-21T08:00:00.000Z');

/** `merchantId` stands in the machine only because the test builds it per merchant. */
export function jarMachine(merchantId: string = merchant): Machine<Jar, JarCommand, JarEvent, JarRefusal> {
  return {
    absent: { status: 'absent' },
    decide(jar, command) {
      if (command.type === 'open')
        return jar.status === 'absent' ? accept({ type: 'opened', merchantId }) : ignore('already open');
      if (jar.status === 'absent') return refuse('jar_not_found');
      if (jar.status === 'sealed') return command.type === 'seal' ? ignore('already sealed') : refuse('jar_sealed');
      return command.type === 'seal' ? accept({ type: 'sealed' }) : accept({ type: 'coinsPut', coins: command.coins });
    },
    evolve(jar, event) {
      if (event.type === 'opened') return { status: 'open', merchantId: event.merchantId, coins: 0n };
      if (jar.status === 'absent') throw new Error('an absent jar was changed');
      return event.type === 'sealed' ? { ...jar, status: 'sealed' } : { ...jar, coins: jar.coins + event.coins };
    },
  };
}

export const ringAfterMs = 60_000;

export const jarKeeper: Keeper<JarTables, Jar, JarEvent> = {
  async load(tx, ids) {
    const { rows } = await sql<
      JarTables['jar']
    >`select * from jar where id = any (${ids}::uuid[]) order by id for update`.execute(tx);
    return new Map(
      rows.map((row): [string, Loaded<Jar>] => [
        row.id,
        {
          state: { status: row.status as 'open', merchantId: row.merchant_id, coins: row.coins },
          version: row.version,
        },
      ]),
    );
  },
  async save(tx, changes) {
    for (const change of changes) await saveOne(tx, change);
  },
  announce: (change) =>
    change.events.map((each) =>
      toMessage(
        topic,
        'jars',
        change.id,
        { ...each, merchantId: change.merchantId },
        Buffer.from(each.event.type === 'coinsPut' ? `put ${each.event.coins}` : each.event.type),
      ),
    ),
  // Opened: it will ring. Sealed: it will not. Each coin puts the ringing off.
  timers: (change) => {
    const last = change.events.at(-1);
    if (last === undefined) return [];
    return change.after.status === 'sealed'
      ? [{ type: 'clear', kind: 'ring' }]
      : [{ type: 'set', kind: 'ring', dueAt: new Date(last.now.getTime() + ringAfterMs) }];
  },
};

async function saveOne(
  tx: Kysely<JarTables>,
  { id, after, version, versionBefore }: Change<Jar, JarEvent>,
): Promise<void> {
  if (after.status === 'absent') throw new Error('a jar cannot become absent');
  const row = { status: after.status, coins: after.coins, version };
  if (versionBefore === 0) {
    await tx
      .insertInto('jar')
      .values({ id, merchant_id: after.merchantId, ...row })
      .execute();
    return;
  }
  const { numUpdatedRows } = await tx
    .updateTable('jar')
    .set(row)
    .where('id', '=', id)
    .where('version', '=', versionBefore)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new VersionConflict(id);
}

export function envelope(
  id: string,
  command: JarCommand,
  more: Partial<Envelope<JarCommand>> = {},
): Envelope<JarCommand> {
  return { id, merchantId: merchant, command, now, ...more };
}

/** What the database holds, seen over all merchants. */
export async function seen(database: Database<JarTables>) {
  return database.everyMerchant('a test looks at all', async (tx) => ({
    jars: await tx.selectFrom('jar').selectAll().orderBy('id').execute(),
    outbox: await tx.selectFrom('outbox').selectAll().orderBy('id').execute(),
    inbox: await tx.selectFrom('inbox').selectAll().execute(),
    timers: await tx.selectFrom('timer').selectAll().orderBy('due_at').execute(),
    effects: await tx.selectFrom('effect').select(['key', 'text']).orderBy('id').execute(),
  }));
}

/** An empty start for the next test: cheaper than a database of its own. */
export async function empty(database: Database<JarTables>): Promise<void> {
  await database.everyMerchant('a test begins', async (tx) => {
    for (const table of ['jar', 'effect', 'outbox', 'inbox', 'timer', 'parked_message'])
      await sql`delete from ${sql.table(table)}`.execute(tx);
  });
}

/** A consumer whose effect is a row, once per message. */
export async function keepEffects(
  database: Database<JarTables>,
  group: string,
  batch: readonly IncomingMessage[],
): Promise<void> {
  await database.everyMerchant('a test consumer', async (tx) => {
    const fresh = await firstSight(
      tx,
      group,
      batch.map((each) => each.headers.ce_id),
    );
    // What was published twice may come twice in one batch.
    const rows = [...new Map(batch.map((each) => [each.headers.ce_id, each])).values()]
      .filter((each) => fresh.has(each.headers.ce_id))
      .map((each) => ({ key: each.key, text: Buffer.from(each.value).toString() }));
    if (rows.length > 0) await tx.insertInto('effect').values(rows).execute();
  });
}
