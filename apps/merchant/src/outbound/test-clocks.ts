/** The rows of test clocks and their advances. An advance belongs to whoever leases it; a lost lease writes no more. */
import { randomUUIDv7 } from 'node:crypto';
import { codeOf, type Database } from '@tillstream/database/database';
import { sql, type Kysely } from 'kysely';
import type { AdvanceRow, ClockRow, FiringRow, MerchantTables } from './tables.ts';

export interface Setting {
  readonly merchantId: string;
  readonly sequence: bigint;
  readonly at: Date;
}

export interface Advance extends Setting {
  readonly id: string;
  readonly from: Date;
  readonly to: Date;
  readonly firstSequence: bigint;
  readonly lease: bigint;
}

export interface Waited {
  readonly source: string;
  readonly what: string;
  readonly count: number;
}

export interface Firing {
  readonly at: Date;
  readonly source: string;
  readonly kind: string;
  readonly objectId: string;
}

export interface Shown {
  readonly clock: ClockRow;
  /** By the clock. */
  readonly now: Date;
  readonly advance: AdvanceRow | undefined;
  readonly firings: readonly FiringRow[];
}

export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

// Renewed at each step and each second of waiting; a crashed process's advance is taken over after it.
const leaseSeconds = 15;
const mostShown = 1_000;

export class TestClocks {
  readonly #database: Database<MerchantTables>;

  constructor(database: Database<MerchantTables>) {
    this.#database = database;
  }

  /** Undefined when the merchant has never moved its clock. */
  async show(merchantId: string): Promise<Shown | undefined> {
    return this.#database.transaction([merchantId], async (tx) => {
      const found = await sql<ClockRow & { now: Date }>`
        select *, case status when 'advancing' then at else at + (clock_timestamp() - set_at) end as now
        from test_clock where merchant_id = ${merchantId}`.execute(tx);
      const [row] = found.rows;
      if (row === undefined) return undefined;
      const advance = await tx
        .selectFrom('clock_advance')
        .selectAll()
        .where('merchant_id', '=', merchantId)
        .orderBy('advance_id', 'desc')
        .executeTakeFirst();
      const firings =
        advance === undefined
          ? []
          : await tx
              .selectFrom('clock_firing')
              .selectAll()
              .where('advance_id', '=', advance.advance_id)
              .orderBy('at')
              .orderBy('number')
              .limit(mostShown)
              .execute();
      return { clock: row, now: row.now, advance, firings };
    });
  }

  /** Stops the clock where it stands and notes where it is to go. False when it is being advanced already. */
  async begin(merchantId: string, from: Date, to: Date, requestId: string | undefined): Promise<boolean> {
    try {
      await this.#database.transaction([merchantId], async (tx) => {
        const { rows } = await sql<{ sequence: bigint }>`
          insert into test_clock (merchant_id, sequence, status, at, set_at) values (${merchantId}, 1, 'advancing', ${from}, now())
          on conflict (merchant_id) do update set sequence = test_clock.sequence + 1, status = 'advancing', at = ${from}, set_at = now()
          returning sequence`.execute(tx);
        const sequence = rows[0]?.sequence ?? 1n;
        await sql`
          insert into clock_advance (advance_id, merchant_id, request_id, from_at, to_at, at, sequence, first_sequence, status)
          values (${randomUUIDv7()}, ${merchantId}, ${requestId ?? null}, ${from}, ${to}, ${from}, ${sequence}, ${sequence}, 'running')`.execute(
          tx,
        );
      });
      return true;
    } catch (error) {
      if (codeOf(error) === '23505') return false;
      throw error;
    }
  }

  async isKnown(merchantId: string, requestId: string): Promise<boolean> {
    return this.#database.statement([merchantId], async (tx) => {
      const row = await tx
        .selectFrom('clock_advance')
        .select('advance_id')
        .where('merchant_id', '=', merchantId)
        .where('request_id', '=', requestId)
        .executeTakeFirst();
      return row !== undefined;
    });
  }

  /** False while it is being advanced. */
  async reset(merchantId: string): Promise<boolean> {
    const { numAffectedRows } = await this.#database.statement([merchantId], (tx) =>
      sql`
        update test_clock set sequence = sequence + 1, status = 'wall', at = now(), set_at = now()
        where merchant_id = ${merchantId} and status <> 'advancing'`.execute(tx),
    );
    return numAffectedRows === 1n;
  }

  /** Advances that nobody works on. */
  async lease(limit: number): Promise<readonly Advance[]> {
    const { rows } = await this.#database.everyMerchantStatement('the time machine serves all merchants', (tx) =>
      sql<AdvanceRow>`
        update clock_advance set leased_until = now() + make_interval(secs => ${leaseSeconds}), lease = lease + 1
        where advance_id in (
          select advance_id from clock_advance
          where status in ('running', 'waiting') and (leased_until is null or leased_until < now())
          order by advance_id limit ${limit} for update skip locked)
        returning *`.execute(tx),
    );
    return rows.map((row) => ({
      id: row.advance_id,
      merchantId: row.merchant_id,
      from: row.from_at,
      to: row.to_at,
      at: row.at,
      sequence: row.sequence,
      firstSequence: row.first_sequence,
      lease: row.lease,
    }));
  }

  /** The next moment, before anybody lives it; and what other than timers is due at it. */
  async step(advance: Advance, at: Date, due: readonly Firing[]): Promise<Advance> {
    await this.#write(advance, async (tx) => {
      await this.#move(tx, advance, at, 'advancing');
      if (due.length > 0) await insertFirings(tx, advance, due);
    });
    return { ...advance, at, sequence: advance.sequence + 1n };
  }

  async wait(advance: Advance, waitingFor: readonly Waited[]): Promise<void> {
    const status = waitingFor.length === 0 ? 'running' : 'waiting';
    await this.#write(advance, (tx) =>
      sql`
        update clock_advance set status = ${status}, waiting_for = ${JSON.stringify(waitingFor)}::jsonb
        where advance_id = ${advance.id}`.execute(tx),
    );
  }

  /** The clock runs on from `at`; the services are told by whoever pushes (`unpushed`). */
  async finish(advance: Advance, at: Date, status: 'done' | 'abandoned', fired: readonly Firing[]): Promise<void> {
    await this.#write(advance, async (tx) => {
      await this.#move(tx, advance, at, 'ahead');
      await insertFirings(tx, advance, fired);
      await sql`
        update clock_advance set status = ${status}, finished_at = now(), leased_until = null,
          waiting_for = case when ${status} = 'done' then '[]' else waiting_for end,
          fired_count = (select count(*) from clock_firing where advance_id = ${advance.id})
        where advance_id = ${advance.id}`.execute(tx);
    });
  }

  /** Settings that not every service is known to have. */
  async unpushed(): Promise<readonly (Setting & { readonly isWall: boolean })[]> {
    const { rows } = await this.#database.everyMerchantStatement('the time machine serves all merchants', (tx) =>
      sql<ClockRow & { now: Date }>`
        select *, at + (clock_timestamp() - set_at) as now from test_clock
        where status <> 'advancing' and pushed_sequence < sequence limit 100`.execute(tx),
    );
    return rows.map((row) => ({
      merchantId: row.merchant_id,
      sequence: row.sequence,
      at: row.now,
      isWall: row.status === 'wall',
    }));
  }

  async pushed({ merchantId, sequence }: Setting): Promise<void> {
    await this.#database.statement([merchantId], (tx) =>
      sql`update test_clock set pushed_sequence = ${sequence} where merchant_id = ${merchantId} and pushed_sequence < ${sequence}`.execute(
        tx,
      ),
    );
  }

  async #move(tx: Kysely<MerchantTables>, advance: Advance, at: Date, status: ClockRow['status']): Promise<void> {
    const sequence = advance.sequence + 1n;
    await sql`update clock_advance set at = ${at}, sequence = ${sequence}, status = 'running', waiting_for = '[]' where advance_id = ${advance.id}`.execute(
      tx,
    );
    await sql`
      update test_clock set at = ${at}, sequence = ${sequence}, status = ${status}, set_at = now()
      where merchant_id = ${advance.merchantId}`.execute(tx);
  }

  async #write(advance: Advance, run: (tx: Kysely<MerchantTables>) => Promise<unknown>): Promise<void> {
    await this.#database.transaction([advance.merchantId], async (tx) => {
      const { numAffectedRows } = await sql`
        update clock_advance set leased_until = now() + make_interval(secs => ${leaseSeconds})
        where advance_id = ${advance.id} and lease = ${advance.lease} and status in ('running', 'waiting')`.execute(tx);
      if (numAffectedRows !== 1n) throw new LeaseLost('somebody else advances this clock');
      await run(tx);
    });
  }
}

async function insertFirings(tx: Kysely<MerchantTables>, advance: Advance, firings: readonly Firing[]): Promise<void> {
  await sql`
    insert into clock_firing (advance_id, number, merchant_id, at, source, kind, object_id)
    select ${advance.id}, (select count(*) from clock_firing where advance_id = ${advance.id}) + place, ${advance.merchantId}, at, source, kind, object_id
    from unnest(
      ${firings.map((each) => each.at)}::timestamptz[], ${firings.map((each) => each.source)}::text[],
      ${firings.map((each) => each.kind)}::text[], ${firings.map((each) => each.objectId)}::text[]
    ) with ordinality as t (at, source, kind, object_id, place)`.execute(tx);
}
