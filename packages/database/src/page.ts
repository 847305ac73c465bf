/** Places in lists. */
import { sql, type RawBuilder } from 'kysely';

/**
 * Of a merchant's rows those on one side of a place in their list; `id` is the column that orders it. Said of merchant and id
 * together it is a part of the index by merchant. Of the id alone it could be a part of everybody's rows, and whoever has few
 * beside somebody who has millions would wait until his are found among them.
 */
export function beyond(
  id: string,
  side: '<' | '>',
  place: { readonly merchantId: string; readonly id: string | bigint },
): RawBuilder<boolean> {
  const merchant = id.includes('.') ? `${id.slice(0, id.indexOf('.'))}.merchant_id` : 'merchant_id';
  return sql<boolean>`(${sql.ref(merchant)}, ${sql.ref(id)}) ${sql.raw(side)} (${place.merchantId}::uuid, ${place.id}${sql.raw(typeof place.id === 'bigint' ? '::bigint' : '::uuid')})`;
}
