/** Stored answers to requests with an Idempotency-Key. Sealed, because answers hold API keys and webhook secrets. */
import { randomUUIDv7, timingSafeEqual } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Vault } from '@tillstream/vault/vault';
import { sql } from 'kysely';
import type { Claim, Claimed, StoredAnswer } from '../domain/answer.ts';
import type { GatewayTables } from './tables.ts';

// Longer than any request may take; after it the process that held the lock is dead.
const lockFor = sql<Date>`now() + interval '60 seconds'`;
// The window in which a repeated request is recognised.
const keepFor = sql`interval '30 days'`;
const sweepAtOnce = 1_000;

export class Answers {
  readonly #database: Database<GatewayTables>;
  readonly #vault: Vault;

  constructor(database: Database<GatewayTables>, vault: Vault) {
    this.#database = database;
    this.#vault = vault;
  }

  claim(merchantId: string, key: string, request: string): Promise<Claimed> {
    const print = this.#vault.fingerprint(request, `${merchantId}|request`);
    return this.#database.transaction([merchantId], async (tx): Promise<Claimed> => {
      const made = await tx
        .insertInto('answer')
        .values({
          merchant_id: merchantId,
          idempotency_key: key,
          request_print: print,
          request_id: randomUUIDv7(),
          locked_until: lockFor,
          status: null,
          content_type: null,
          body: null,
        })
        .onConflict((conflict) => conflict.doNothing())
        .returning(['request_id', 'fence'])
        .executeTakeFirst();
      if (made !== undefined)
        return { is: 'mine', claim: { merchantId, key, requestId: made.request_id, fence: made.fence } };
      const found = await tx
        .selectFrom('answer')
        .where('merchant_id', '=', merchantId)
        .where('idempotency_key', '=', key)
        .selectAll()
        .select(sql<boolean>`locked_until > now()`.as('is_locked'))
        .forUpdate()
        .executeTakeFirst();
      // Swept between the two statements: as good as being worked on, the next try finds its place.
      if (found === undefined) return { is: 'in flight' };
      if (!timingSafeEqual(found.request_print, print)) return { is: 'another request' };
      if (found.status !== null && found.body !== null && found.content_type !== null) {
        const body = this.#vault.open(found.body, contextOf(merchantId, key));
        return { is: 'answered', answer: { status: found.status, contentType: found.content_type, body } };
      }
      if (found.is_locked) return { is: 'in flight' };
      const fence = found.fence + 1;
      await tx
        .updateTable('answer')
        .set({ locked_until: lockFor, fence })
        .where('merchant_id', '=', merchantId)
        .where('idempotency_key', '=', key)
        .execute();
      return { is: 'mine', claim: { merchantId, key, requestId: found.request_id, fence } };
    });
  }

  /** A crash before this lets the next request take over, with the same request id: the services make nothing twice. */
  async keep(claim: Claim, answer: StoredAnswer): Promise<void> {
    const body = this.#vault.seal(answer.body, contextOf(claim.merchantId, claim.key));
    await this.#update(claim, { status: answer.status, content_type: answer.contentType, body });
  }

  /** Nothing final was answered: the next request with this key tries again at once. */
  async release(claim: Claim): Promise<void> {
    await this.#update(claim, { locked_until: sql<Date>`now()` });
  }

  /** Deletes what is too old, a batch at a time; answers how many are gone. */
  async sweep(): Promise<number> {
    const result = await this.#database.everyMerchantStatement('old answers of all merchants are deleted', (tx) =>
      sql`delete from answer where ctid = any (array(select ctid from answer where created_at < now() - ${keepFor} limit ${sql.lit(sweepAtOnce)}))`.execute(
        tx,
      ),
    );
    return Number(result.numAffectedRows ?? 0n);
  }

  async #update(claim: Claim, change: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#database.statement([claim.merchantId], (tx) =>
      tx
        .updateTable('answer')
        .set(change)
        .where('merchant_id', '=', claim.merchantId)
        .where('idempotency_key', '=', claim.key)
        .where('fence', '=', claim.fence)
        .where('status', 'is', null)
        .execute(),
    );
  }
}

function contextOf(merchantId: string, key: string): string {
  return `${merchantId}|answer|${key}`;
}
