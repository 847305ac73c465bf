/** Two relays of one outbox, many writers of few aggregates, and now and then the leading relay's connection is cut. */
import { setTimeout as pause } from 'node:timers/promises';
import { home as fulfillmentHome } from '@tillstream/fulfillment/app';
import { embeddedCarrier } from '@tillstream/messaging/embedded-carrier';
import { carrierHome } from '@tillstream/messaging/migrations';
import { announce } from '@tillstream/messaging/once';
import { startRelay } from '@tillstream/messaging/relay';
import { fulfillmentEvents } from '@tillstream/messaging/topics';
import { wake } from '@tillstream/messaging/wake';
import { eventually } from '@tillstream/testkit/eventually';
import { quietLog } from '@tillstream/testkit/log';
import { sql } from 'kysely';
import { newsOf } from './news.ts';
import { complaints, type Race } from './race.ts';
import { alternate, merchantId, openStage } from './stage.ts';

const messagesEach = 3;

export const twoRelays: Race = {
  name: 'two-relays',
  holds:
    'Every committed message is published, those of one aggregate in their order; and once, unless a relay was cut off in the middle.',
  async open(contenders) {
    const stage = await openStage(fulfillmentHome, carrierHome);
    const log = quietLog();
    const carrier = embeddedCarrier({ url: stage.place.urlOf(carrierHome), log });
    stage.closing(() => carrier.close());
    await carrier.declare([fulfillmentEvents]);
    const databases = [stage.open<object>(fulfillmentHome), stage.open<object>(fulfillmentHome)] as const;
    const relays = databases.map((database) => startRelay({ name: 'race', database, carrier, log, idleMs: 5 }));
    stage.closing(() => Promise.all(relays.map((relay) => relay.stop())));
    return {
      async round(nth, random) {
        const hasCut = random.below(4) === 0;
        const aggregates = Math.max(1, Math.floor(contenders / 4));
        const keyOf = (at: number) => BigInt(nth * 100 + (at % aggregates));
        const write = async (at: number) => {
          const database = alternate(databases, at);
          const key = keyOf(at);
          for (let nthMessage = 0; nthMessage < messagesEach; nthMessage += 1) {
            await database.transaction([merchantId], async (tx) => {
              // The aggregate's row lock, as every writer of an aggregate has it.
              await sql`select pg_advisory_xact_lock(4711, ${Number(key)}::int)`.execute(tx);
              const { rows } = await sql<{ version: bigint }>`
                select coalesce(max(version), 0) + 1 as version from outbox where aggregate_id = ${String(key)}`.execute(
                tx,
              );
              const version = Number(rows[0]?.version ?? 1n);
              const message = newsOf(fulfillmentEvents, { merchantId, key }, () => Buffer.from(String(version)));
              await announce(tx, [message], [{ type: 'race', id: String(key), version }]);
            });
            wake(database);
          }
        };
        const cut = async () => {
          await pause(random.below(10));
          await stage.rows(
            `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 2 and classid::bigint = (hashtext('tillstream relay')::bigint & 4294967295)
             and database = (select oid from pg_database where datname = current_database())`,
          );
        };
        const writers = contenders - 1;
        return {
          contenders: [
            ...Array.from({ length: writers }, (_, at) => () => write(at)),
            async () => (hasCut ? cut() : undefined),
          ],
          async check() {
            const keys = Array.from({ length: aggregates }, (_, at) => String(keyOf(at)));
            await eventually(async () => {
              const [left] = await stage.rows<{ left: number }>(unsentSql, [keys]);
              return left?.left === 0;
            });
            const published = await stage.rows<Published>(publishedSql, [keys]);
            const versions = new Set(published.map(({ key, version }) => `${key} ${version}`));
            const expected = writers * messagesEach;
            const wrong = complaints(
              [versions.size === expected, `${versions.size} of ${expected} messages were published`],
              [
                published.every(({ place, version }) => place === version),
                'messages of an aggregate came out of order',
              ],
              [
                hasCut || published.every(({ times }) => times === 1),
                'a message was published twice, and nobody was cut off',
              ],
            );
            const isDoubled = published.some(({ times }) => times > 1);
            return { ended: hasCut ? (isDoubled ? 'cut, some twice' : 'cut') : 'calm', wrong };
          },
        };
      },
      close: () => stage.close(),
    };
  },
};

const unsentSql =
  'select count(*)::int as left from fulfillment.outbox where key = any ($1::text[]) and sent_at is null';

interface Published {
  readonly key: string;
  readonly version: number;
  /** Among the messages of its key, by when each came first. */
  readonly place: number;
  readonly times: number;
}

const publishedSql = `
  select key, version, times::int, (row_number() over (partition by key order by first))::int as place
  from (select key, convert_from(value, 'UTF8')::int as version, min("offset") as first, count(*) as times
    from carrier.log where key = any ($1::text[]) group by 1, 2) as message`;
