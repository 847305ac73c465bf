/** API keys: made, shown once, kept as an HMAC with a pepper that the database does not know. */
import { createHash, createHmac, randomBytes, randomUUIDv7, timingSafeEqual } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import { beyond } from '@tillstream/database/page';
import { publicId, readPublicId } from '@tillstream/database/public-id';
import type { ApiKey, AuthenticateResponse } from '@tillstream/proto/merchant/v1/merchant_api';
import type { Selectable } from 'kysely';
import { checksumLength, handleLength, readKey, secretLength, spell } from '../domain/api-key.ts';
import { keyset, type PageQuery } from './keyset.ts';
import type { MerchantTables } from './tables.ts';

export type Authentication = AuthenticateResponse | 'invalid_api_key' | 'revoked_api_key';

// A revoked key works on in this process for as long as this at most; in the process that revoked it, not at all.
const rememberMs = 5_000;
const mostRemembered = 10_000;
// "Last used" is for people; a write per request would be for nobody.
const noteUseEveryMs = 60_000;

export class ApiKeys {
  readonly #database: Database<MerchantTables>;
  readonly #pepper: string;
  readonly #remembered = new Map<string, { readonly answer: AuthenticateResponse; readonly untilMs: number }>();

  constructor(database: Database<MerchantTables>, pepper: string) {
    this.#database = database;
    this.#pepper = pepper;
  }

  async create(
    merchantId: string,
    name: string,
    scopes: readonly string[],
    requestId: string,
  ): Promise<{ key: ApiKey; secret: string }> {
    return this.#database.transaction([merchantId], async (tx) => {
      const { livemode } = await tx
        .selectFrom('merchant')
        .where('merchant_id', '=', merchantId)
        .select('livemode')
        .executeTakeFirstOrThrow();
      const secret = makeSecret(livemode, this.#pepper, requestId === '' ? undefined : `${merchantId} ${requestId}`);
      const made = await tx
        .insertInto('api_key')
        .values({
          api_key_id: randomUUIDv7(),
          merchant_id: merchantId,
          handle: readKey(secret)?.handle ?? '',
          digest: this.#digest(secret),
          name,
          hint: `${secret.slice(0, 18)}…`,
          scopes: [...scopes],
          request_id: requestId === '' ? null : requestId,
          last_used_at: null,
          revoked_at: null,
        })
        .onConflict((conflict) => conflict.columns(['merchant_id', 'request_id']).doNothing())
        .returningAll()
        .executeTakeFirst();
      const row =
        made ??
        (await tx
          .selectFrom('api_key')
          .where('merchant_id', '=', merchantId)
          .where('request_id', '=', requestId)
          .selectAll()
          .executeTakeFirstOrThrow());
      return { key: toWire(row, livemode), secret };
    });
  }

  async authenticate(text: string, now: Date): Promise<Authentication> {
    const parts = readKey(text);
    if (parts === undefined || checksumOf(parts.checked) !== parts.checksum) return 'invalid_api_key';
    const digest = this.#digest(text);
    const name = digest.toString('base64');
    const remembered = this.#remembered.get(name);
    if (remembered !== undefined && remembered.untilMs > now.getTime()) return remembered.answer;
    const found = await this.#database.everyMerchantStatement('an API key is what says which merchant it is', (one) =>
      one
        .selectFrom('api_key')
        .innerJoin('merchant', 'merchant.merchant_id', 'api_key.merchant_id')
        .where('handle', '=', parts.handle)
        .select(['api_key.merchant_id', 'api_key_id', 'digest', 'scopes', 'revoked_at', 'last_used_at', 'livemode'])
        .executeTakeFirst(),
    );
    if (found === undefined || !timingSafeEqual(found.digest, digest) || found.livemode !== parts.livemode)
      return 'invalid_api_key';
    if (found.revoked_at !== null) return 'revoked_api_key';
    if (now.getTime() - (found.last_used_at?.getTime() ?? 0) > noteUseEveryMs) {
      await this.#database.statement([found.merchant_id], (one) =>
        one.updateTable('api_key').set({ last_used_at: now }).where('api_key_id', '=', found.api_key_id).execute(),
      );
    }
    const answer = {
      merchantId: found.merchant_id,
      livemode: found.livemode,
      apiKeyId: publicId('key', found.api_key_id),
      scopes: found.scopes,
    };
    if (this.#remembered.size >= mostRemembered) this.#remembered.clear();
    this.#remembered.set(name, { answer, untilMs: now.getTime() + rememberMs });
    return answer;
  }

  async list(merchantId: string, page: PageQuery): Promise<{ keys: readonly ApiKey[]; hasMore: boolean }> {
    return this.#database.transaction([merchantId], async (tx) => {
      const { livemode } = await tx
        .selectFrom('merchant')
        .where('merchant_id', '=', merchantId)
        .select('livemode')
        .executeTakeFirstOrThrow();
      const { after, before, isBackward, limit } = keyset(
        page,
        (id) => readPublicId('key', id) ?? '00000000-0000-0000-0000-000000000000',
      );
      let query = tx
        .selectFrom('api_key')
        .where('merchant_id', '=', merchantId)
        .selectAll()
        .limit(limit + 1);
      if (after !== undefined) query = query.where(beyond('api_key_id', '<', { merchantId, id: after }));
      if (before !== undefined) query = query.where(beyond('api_key_id', '>', { merchantId, id: before }));
      const rows = await query.orderBy('api_key_id', isBackward ? 'asc' : 'desc').execute();
      const shown = rows.slice(0, limit);
      if (isBackward) shown.reverse();
      return { keys: shown.map((row) => toWire(row, livemode)), hasMore: rows.length > limit };
    });
  }

  async revoke(merchantId: string, id: string, now: Date): Promise<ApiKey | undefined> {
    const uuid = readPublicId('key', id);
    if (uuid === undefined) return undefined;
    return this.#database.transaction([merchantId], async (tx) => {
      const { livemode } = await tx
        .selectFrom('merchant')
        .where('merchant_id', '=', merchantId)
        .select('livemode')
        .executeTakeFirstOrThrow();
      const row = await tx
        .updateTable('api_key')
        .set((eb) => ({ revoked_at: eb.fn.coalesce('revoked_at', eb.val(now)) }))
        .where('merchant_id', '=', merchantId)
        .where('api_key_id', '=', uuid)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) return undefined;
      this.#remembered.clear();
      return toWire(row, livemode);
    });
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#pepper).update(text).digest();
  }
}

/** With `seed` the same key comes out again, so that a repeated creation can show it once more; else it is random. */
function makeSecret(livemode: boolean, pepper: string, seed: string | undefined): string {
  const bytes = seed === undefined ? randomBytes(192) : expand(pepper, seed);
  const text = spell(bytes, handleLength + secretLength);
  const checked = `till_${livemode ? 'live' : 'test'}_${text}`;
  return `${checked}${checksumOf(checked)}`;
}

function expand(pepper: string, seed: string): Buffer {
  return Buffer.concat(
    [0, 1, 2].map((block) => createHmac('sha512', pepper).update(`api key ${block} ${seed}`).digest()),
  );
}

function checksumOf(text: string): string {
  return spell(createHash('sha256').update(text).digest(), checksumLength);
}

function toWire(row: Selectable<MerchantTables['api_key']>, livemode: boolean): ApiKey {
  return {
    id: publicId('key', row.api_key_id),
    name: row.name,
    hint: row.hint,
    scopes: row.scopes,
    livemode,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  };
}
