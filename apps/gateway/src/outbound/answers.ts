/** Stored answers to requests with an Idempotency-Key. Sealed, because answers hold API keys and webhook secrets. */
import { randomUUIDv7, timingSafeEqual } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Vault } from '@tillstream/vault/vault';
import { sql } from 'kysely';
import type { Claim, Claimed, StoredAnswer } from '../domain/answer.ts';
import type { GatewayTables } from './tables.ts';

// Whoever works on a request says so again before this is over; else its process is dead, and a repetition takes over.
const lockedMs = 10_000;
// Longer than any request may take: one that was lost sight of is not held for ever.
const mostRenewals = 20;
// The window in which a repeated request is recognised.
const keepFor = sql`interval '30 days'`;
const sweepAtOnce = 1_000;

interface Renewal {
  readonly timer: NodeJS.Timeout;
  last: Promise<void> | undefined;
}

export class Answers {
  readonly #database: Database<GatewayTables>;
  readonly #vault: Vault;
  readonly #lockedMs: number;
  readonly #renewals = new Map<Claim, Renewal>();

  constructor(database: Database<GatewayTables>, vault: Vault, limits = { lockedMs }) {
    this.#database = database;
    this.#vault = vault;
    this.#lockedMs = limits.lockedMs;
  }

  /** Who is told that it is theirs must keep or release it. */
  async claim(merchantId: string, key: string, request: string): Promise<Claimed> {
    const claimed = await this.#claim(merchantId, key, request);
    if (claimed.is === 'mine') this.#hold(claimed.claim);
    return claimed;
  }

  #claim(merchantId: string, key: string, request: string): Promise<Claimed> {
    const print = this.#vault.fingerprint(request, `${merchantId}|request`);
    return this.#database.transaction([merchantId], async (tx): Promise<Claimed> => {
      const made = await tx
        .insertInto('answer')
        .values({
          merchant_id: merchantId,
          idempotency_key: key,
          request_print: print,
          request_id: randomUUIDv7(),
          locked_until: this.#lockEnd(),
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
        .set({ locked_until: this.#lockEnd(), fence })
        .where('merchant_id', '=', merchantId)
        .where('idempotency_key', '=', key)
        .execute();
      return { is: 'mine', claim: { merchantId, key, requestId: found.request_id, fence } };
    });
  }

  /** A crash before this lets the next request take over, with the same request id: the services make nothing twice. */
  async keep(claim: Claim, answer: StoredAnswer): Promise<void> {
    await this.#letGo(claim);
    const body = this.#vault.seal(answer.body, contextOf(claim.merchantId, claim.key));
    await this.#update(claim, { status: answer.status, content_type: answer.contentType, body });
  }

  /** Nothing final was answered: the next request with this key tries again at once. */
  async release(claim: Claim): Promise<void> {
    await this.#letGo(claim);
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

  #lockEnd() {
    return sql<Date>`now() + ${this.#lockedMs} * interval '1 millisecond'`;
  }

  /** One renewal that fails is followed by the next; when the lock is lost, the fence keeps this process from writing. */
  #hold(claim: Claim): void {
    let left = mostRenewals;
    const renew = () => {
      left -= 1;
      if (left < 0) void this.#letGo(claim);
      else renewal.last = this.#update(claim, { locked_until: this.#lockEnd() }).catch(() => undefined);
    };
    const renewal: Renewal = { timer: setInterval(renew, this.#lockedMs / 3).unref(), last: undefined };
    this.#renewals.set(claim, renewal);
  }

  /** Resolves when no renewal is under way that could lock again what is released. */
  async #letGo(claim: Claim): Promise<void> {
    const renewal = this.#renewals.get(claim);
    if (renewal === undefined) return;
    this.#renewals.delete(claim);
    clearInterval(renewal.timer);
    await renewal.last;
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
