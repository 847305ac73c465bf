/**
 * The clocks of a service's merchants. The rows are the truth; each process keeps a copy, which is read again when a
 * message or a timer comes from later than the copy knows, and once in a while.
 */
import type { AnyDatabase } from '@tillstream/database/database';
import { sql } from 'kysely';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { startLoop, type Loop } from './loop.ts';
import { wake } from './wake.ts';

export interface ClockSetting {
  readonly merchantId: string;
  /** Grows with each setting, for ever: a setting that comes late changes nothing. */
  readonly sequence: bigint;
  /** Where it stands, or runs on from; the wall's time = it is the wall's again. */
  readonly at: Date | 'the wall';
  readonly isStanding: boolean;
}

/** Something that happened, or is due, at a merchant's time. */
export interface Moment {
  readonly merchantId: string;
  readonly at: Date;
}

interface Reading {
  readonly at: number;
  readonly aheadMs: number;
  readonly isStanding: boolean;
}

interface Row {
  merchant_id: string;
  at: Date;
  is_standing: boolean;
  set_at: Date;
}

// A process that hears nothing of a merchant learns of its clock within this time.
const refreshMs = 5_000;
// Wall clocks of two machines differ by less, and by more only for travellers.
const sameMs = 1_000;

export class MerchantClocks implements Clock {
  readonly #database: AnyDatabase;
  #readings = new Map<string, Reading>();
  #travellers: readonly string[] = [];

  constructor(database: AnyDatabase) {
    this.#database = database;
  }

  now(merchantId: string): Date {
    const reading = this.#readings.get(merchantId);
    if (reading === undefined) return new Date();
    return new Date(reading.isStanding ? reading.at : Date.now() + reading.aheadMs);
  }

  travellers(): readonly string[] {
    return this.#travellers;
  }

  /** In force here when it resolves; whoever waits for due work of this database, or for these clocks, is woken. */
  async set(setting: ClockSetting): Promise<void> {
    const at = setting.at === 'the wall' ? null : setting.at;
    const { rows } = await this.#database.untypedStatement('a clock is set', (tx) =>
      sql<Row>`
        insert into merchant_clock (merchant_id, sequence, at, is_standing, set_at)
        values (${setting.merchantId}, ${setting.sequence}, coalesce(${at}::timestamptz, now()), ${setting.isStanding}, now())
        on conflict (merchant_id) do update
        set sequence = excluded.sequence, at = excluded.at, is_standing = excluded.is_standing, set_at = excluded.set_at
        where merchant_clock.sequence < excluded.sequence
        returning merchant_id, at, is_standing, set_at`.execute(tx),
    );
    const [row] = rows;
    if (row === undefined) await this.refresh();
    else this.#take(new Map([...this.#readings, readingOf(row)]));
    wake(this.#database);
    wake(this);
  }

  async refresh(): Promise<void> {
    const { rows } = await sql<Row>`select merchant_id, at, is_standing, set_at from merchant_clock`.execute(
      this.#database.unscoped,
    );
    this.#take(new Map(rows.map(readingOf)));
  }

  #take(readings: Map<string, Reading>): void {
    this.#readings = readings;
    this.#travellers = [...readings]
      .filter(([, reading]) => reading.isStanding || Math.abs(reading.aheadMs) > sameMs)
      .map(([merchantId]) => merchantId);
  }

  /** What comes from later than we know shows that a clock was set: nothing is stamped earlier than its cause. */
  async catchUp(moments: readonly Moment[]): Promise<void> {
    if (moments.some(({ merchantId, at }) => at.getTime() > this.now(merchantId).getTime() + sameMs))
      await this.refresh();
  }

  /**
   * As `catchUp`, for messages: each tells of something that has happened. The time machine sets the clocks of all services at
   * once, and a call to one of them may fail: a message from a service whose clock was set then arrives at a service whose
   * clock still stands at the step before. That step is decided, so this clock goes to the message's time; what the message
   * causes would be stamped earlier than its cause otherwise. The setting itself, with its sequence, follows.
   */
  async catchUpWithMessages(moments: readonly Moment[]): Promise<void> {
    await this.catchUp(moments);
    for (const { merchantId, at } of moments) {
      const reading = this.#readings.get(merchantId);
      if (reading === undefined || !reading.isStanding || at.getTime() <= reading.at) continue;
      await this.#database.untypedStatement('a clock follows a message', (tx) =>
        sql`
          update merchant_clock set at = greatest(at, ${at}::timestamptz)
          where merchant_id = ${merchantId} and is_standing`.execute(tx),
      );
      await this.refresh();
      wake(this.#database);
      wake(this);
    }
  }

  /** Reads them once in a while; stop it with the service. */
  keepUp(log: Log): Loop {
    const turn = async () => {
      await this.refresh();
      return false;
    };
    return startLoop({ name: 'clocks', turn, idleMs: refreshMs, log });
  }
}

function readingOf(row: Row): [merchantId: string, reading: Reading] {
  const at = row.at.getTime();
  return [row.merchant_id, { at, aheadMs: at - row.set_at.getTime(), isStanding: row.is_standing }];
}

/** Before messages are handled: their times are `at`. */
export function catchUpWithMessages(clock: Clock, moments: readonly Moment[]): Promise<void> {
  return clock instanceof MerchantClocks ? clock.catchUpWithMessages(moments) : Promise.resolve();
}

/** A clock that can be behind what it hears of. */
export function catchUpWith(clock: Clock, moments: readonly Moment[]): Promise<void> {
  return clock instanceof MerchantClocks ? clock.catchUp(moments) : Promise.resolve();
}
