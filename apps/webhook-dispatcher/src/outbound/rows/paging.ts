/** Lists, newest first, by id: stable while rows are added. */
import { sql, type RawBuilder } from 'kysely';

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasMore: boolean;
}

export interface PageQuery {
  readonly limit: number;
  readonly isBackward: boolean;
  where(id: RawBuilder<unknown>): RawBuilder<unknown>;
  /** One more than the page has, to know whether there is more. */
  order(id: RawBuilder<unknown>): RawBuilder<unknown>;
}

/** The ids are UUIDs or undefined. */
export function pageQuery(limit: number, after: string | undefined, before: string | undefined): PageQuery {
  const size = Math.min(100, Math.max(1, limit === 0 ? 10 : limit));
  const isBackward = before !== undefined;
  return {
    limit: size,
    isBackward,
    where: (id) =>
      isBackward ? sql`${id} > ${before}::uuid` : after === undefined ? sql`true` : sql`${id} < ${after}::uuid`,
    order: (id) => (isBackward ? sql`order by ${id} limit ${size + 1}` : sql`order by ${id} desc limit ${size + 1}`),
  };
}

export function pageOf<Row>(rows: readonly Row[], query: PageQuery): Page<Row> {
  const page = rows.slice(0, query.limit);
  return { rows: query.isBackward ? page.toReversed() : page, hasMore: rows.length > query.limit };
}
