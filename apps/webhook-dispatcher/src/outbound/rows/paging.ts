/** Lists, newest first, by id: stable while rows are added. */
import { beyond } from '@tillstream/database/page';
import { sql, type RawBuilder } from 'kysely';
import type { Page } from '../../ports.ts';

export interface PageQuery {
  readonly limit: number;
  readonly isBackward: boolean;
  /** Of that merchant's rows; `id` is their column. */
  where(id: string, merchantId: string): RawBuilder<unknown>;
  /** One more than the page has, to know whether there is more. */
  order(id: string): RawBuilder<unknown>;
}

/** The ids are UUIDs or undefined. */
export function pageQuery(limit: number, after: string | undefined, before: string | undefined): PageQuery {
  const size = Math.min(100, Math.max(1, limit === 0 ? 10 : limit));
  const isBackward = before !== undefined;
  return {
    limit: size,
    isBackward,
    where: (id, merchantId) =>
      isBackward
        ? beyond(id, '>', { merchantId, id: before })
        : after === undefined
          ? sql`true`
          : beyond(id, '<', { merchantId, id: after }),
    order: (id) =>
      isBackward ? sql`order by ${sql.ref(id)} limit ${size + 1}` : sql`order by ${sql.ref(id)} desc limit ${size + 1}`,
  };
}

export function pageOf<Row>(rows: readonly Row[], query: PageQuery): Page<Row> {
  const page = rows.slice(0, query.limit);
  return { rows: query.isBackward ? page.toReversed() : page, hasMore: rows.length > query.limit };
}

/** What is asked for, and nothing of what is not: a condition that may be switched off keeps its index from being used. */
export function all(...conditions: readonly (RawBuilder<unknown> | undefined)[]): RawBuilder<unknown> {
  const asked = conditions.filter((each) => each !== undefined);
  return asked.length === 0 ? sql`true` : sql.join(asked, sql` and `);
}
