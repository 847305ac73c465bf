/** Endpoints of merchants: their rows, and their secrets, which are sealed. */
import { createHash, randomUUIDv7 } from 'node:crypto';
import type { Database } from '@tillstream/database/database';
import type { Vault } from '@tillstream/vault/vault';
import { firstSight } from '@tillstream/messaging/once';
import { sql, type Kysely } from 'kysely';
import type { EndpointChange, EndpointRow, NewEndpoint, Page, Secrets } from '../../ports.ts';
import { makeSeedSecret, makeStandardSecret } from '../http/signatures.ts';
import { shardCount } from './leases.ts';
import { clockOf, merchantTime } from './merchant-time.ts';
import { pageOf, type PageQuery } from './paging.ts';

export const mostEndpoints = 50;

export function secretsContext(merchantId: string, endpointId: string): string {
  return `${merchantId}|endpoint|${endpointId}`;
}

// Deliveries that ended within seven days of the merchant's: an error is counted when the attempts have run out (R59).
const columns = sql`e.id, e.merchant_id, e.livemode, e.url, e.events, e.description, e.status, e.disabled_reason, e.payload_profile, e.sign_seed, e.sign_standard,
  e.metadata, e.created_at, stat.succeeded, stat.failed, stat.waiting`;
const statistics = sql`${clockOf(sql.ref('e.merchant_id'))} cross join lateral (
  select count(*) filter (where d.status = 'delivered' and d.done_at > ${merchantTime} - interval '7 days') as succeeded,
    count(*) filter (where d.status = 'exhausted' and d.done_at > ${merchantTime} - interval '7 days') as failed,
    count(*) filter (where d.status = 'waiting') as waiting
  from delivery d where d.endpoint_id = e.id) as stat`;

export class Endpoints {
  readonly #database: Database<object>;
  readonly #vault: Vault;

  constructor(database: Database<object>, vault: Vault) {
    this.#database = database;
    this.#vault = vault;
  }

  /** A repeated request id answers what the first made, with its secrets. Undefined = the merchant has too many. */
  async create(given: NewEndpoint): Promise<{ endpoint: EndpointRow; secrets: Secrets } | undefined> {
    const { merchantId } = given;
    return this.#database.transaction([merchantId], async (tx) => {
      // Two requests at once must neither both be the fiftieth nor both be the first of their request id.
      await sql`select pg_advisory_xact_lock(hashtext(${`endpoints ${merchantId}`}))`.execute(tx);
      let { requestId } = given;
      if (requestId !== undefined) {
        const { rows } = await sql<{ id: string; secrets: Buffer }>`
          select id, secrets from endpoint where merchant_id = ${merchantId}::uuid and request_id = ${requestId}::uuid`.execute(
          tx,
        );
        const [before] = rows;
        const row = before === undefined ? undefined : await this.#read(tx, merchantId, before.id);
        if (before !== undefined && row !== undefined)
          return { endpoint: row, secrets: this.#open(merchantId, before.id, before.secrets) };
        // What it made is deleted: a new one, which cannot have the same request id.
        if (before !== undefined) requestId = undefined;
      }
      const { rows: counted } = await sql<{ n: bigint }>`
        select count(*) as n from endpoint where merchant_id = ${merchantId}::uuid and status <> 'deleted'`.execute(tx);
      if ((counted[0]?.n ?? 0n) >= BigInt(mostEndpoints)) return undefined;
      const id = randomUUIDv7();
      const secrets = newSecrets(given.seedSecret);
      await sql`
        insert into endpoint (id, merchant_id, livemode, shard, url, events, description, status, payload_profile, sign_seed, sign_standard, secrets, metadata, request_id, resumed_at, created_at)
        values (${id}, ${merchantId}, ${given.livemode}, ${shardOf(id)}, ${given.url}, ${[...given.events]}, ${given.description}, 'active',
          ${given.profile}, ${given.signSeed}, ${given.signStandard}, ${this.#seal(merchantId, id, secrets)}, ${JSON.stringify(given.metadata)}::jsonb, ${requestId ?? null}, merchant_now(${merchantId}), merchant_now(${merchantId}))`.execute(
        tx,
      );
      const endpoint = await this.#read(tx, merchantId, id);
      return endpoint === undefined ? undefined : { endpoint, secrets };
    });
  }

  get(merchantId: string, id: string): Promise<EndpointRow | undefined> {
    return this.#database.statement([merchantId], (tx) => this.#read(tx, merchantId, id));
  }

  list(merchantId: string, query: PageQuery): Promise<Page<EndpointRow>> {
    return this.#database.statement([merchantId], async (tx) => {
      const { rows } = await sql<EndpointRow>`
        select ${columns} from endpoint e ${statistics}
        where e.merchant_id = ${merchantId}::uuid and e.status <> 'deleted' and ${query.where('e.id', merchantId)} ${query.order('e.id')}`.execute(
        tx,
      );
      return pageOf(rows, query);
    });
  }

  update(merchantId: string, id: string, change: EndpointChange): Promise<EndpointRow | undefined> {
    return this.#database.transaction([merchantId], async (tx) => {
      const { status } = change;
      await sql`
        update endpoint set url = coalesce(${change.url ?? null}, url), description = coalesce(${change.description ?? null}, description),
          events = coalesce(${change.events === undefined ? null : [...change.events]}::text[], events),
          sign_seed = coalesce(${change.signSeed ?? null}, sign_seed), sign_standard = coalesce(${change.signStandard ?? null}, sign_standard),
          status = coalesce(${status ?? null}, status),
          disabled_reason = case when ${status ?? null}::text is null then disabled_reason else '' end,
          first_failure_at = case when ${status ?? null}::text = 'active' then null else first_failure_at end,
          resumed_at = case when ${status ?? null}::text = 'active' and status <> 'active' then merchant_now(merchant_id) else resumed_at end
        where merchant_id = ${merchantId}::uuid and id = ${id}::uuid and status <> 'deleted'`.execute(tx);
      return this.#read(tx, merchantId, id);
    });
  }

  /** What waits for it is cancelled (R52). */
  delete(merchantId: string, id: string): Promise<boolean> {
    return this.#database.transaction([merchantId], async (tx) => {
      // The strongest lock: events that are being stored for it are waited for, and their deliveries cancelled below.
      await sql`select from endpoint where merchant_id = ${merchantId}::uuid and id = ${id}::uuid for update`.execute(
        tx,
      );
      const { rows } = await sql`
        update endpoint set status = 'deleted' where merchant_id = ${merchantId}::uuid and id = ${id}::uuid and status <> 'deleted' returning id`.execute(
        tx,
      );
      await sql`
        update delivery set status = 'cancelled', done_at = merchant_now(merchant_id)
        where merchant_id = ${merchantId}::uuid and endpoint_id = ${id}::uuid and status = 'waiting'`.execute(tx);
      return rows.length > 0;
    });
  }

  /**
   * The secrets of before stay beside the new ones; those from before them end at once. A request that is known is
   * answered what is there. `requestId` is a UUID; '' = none.
   */
  rotate(
    merchantId: string,
    id: string,
    seedSecret: string,
    requestId: string,
  ): Promise<{ endpoint: EndpointRow; secrets: Secrets } | undefined> {
    return this.#database.transaction([merchantId], async (tx) => {
      if (requestId !== '' && (await firstSight(tx, 'rotate_secret', [requestId])).size === 0)
        return this.#readWithSecrets(tx, merchantId, id);
      const secrets = newSecrets(seedSecret);
      await sql`
        update endpoint set old_secrets = secrets, secrets = ${this.#seal(merchantId, id, secrets)}, rotated_at = now()
        where merchant_id = ${merchantId}::uuid and id = ${id}::uuid and status <> 'deleted'`.execute(tx);
      const endpoint = await this.#read(tx, merchantId, id);
      return endpoint === undefined ? undefined : { endpoint, secrets };
    });
  }

  /** For a ping: where to, and what signs. */
  async target(
    merchantId: string,
    id: string,
  ): Promise<{ endpoint: EndpointRow; secrets: Secrets; oldStandard: string | undefined } | undefined> {
    return this.#database.transaction([merchantId], (tx) => this.#readWithSecrets(tx, merchantId, id));
  }

  async #readWithSecrets(
    tx: Kysely<object>,
    merchantId: string,
    id: string,
  ): Promise<{ endpoint: EndpointRow; secrets: Secrets; oldStandard: string | undefined } | undefined> {
    const endpoint = await this.#read(tx, merchantId, id);
    const { rows } = await sql<{ secrets: Buffer; old_secrets: Buffer | null }>`
      select secrets, case when rotated_at > now() - interval '24 hours' then old_secrets end as old_secrets
      from endpoint where merchant_id = ${merchantId}::uuid and id = ${id}::uuid`.execute(tx);
    const [row] = rows;
    if (endpoint === undefined || row === undefined) return undefined;
    const oldStandard = row.old_secrets === null ? undefined : this.#open(merchantId, id, row.old_secrets).standard;
    return { endpoint, secrets: this.#open(merchantId, id, row.secrets), oldStandard };
  }

  async #read(tx: Kysely<object>, merchantId: string, id: string): Promise<EndpointRow | undefined> {
    const { rows } = await sql<EndpointRow>`
      select ${columns} from endpoint e ${statistics}
      where e.merchant_id = ${merchantId}::uuid and e.id = ${id}::uuid and e.status <> 'deleted'`.execute(tx);
    return rows[0];
  }

  #seal(merchantId: string, id: string, secrets: Secrets): Buffer {
    return this.#vault.seal(JSON.stringify(secrets), secretsContext(merchantId, id));
  }

  #open(merchantId: string, id: string, sealed: Buffer): Secrets {
    return openSecrets(this.#vault, merchantId, id, sealed);
  }
}

export function openSecrets(vault: Vault, merchantId: string, endpointId: string, sealed: Buffer): Secrets {
  const secrets: Secrets = JSON.parse(vault.open(sealed, secretsContext(merchantId, endpointId)).toString('utf8'));
  return secrets;
}

function newSecrets(seedSecret: string): Secrets {
  return { seed: seedSecret === '' ? makeSeedSecret() : seedSecret, standard: makeStandardSecret() };
}

/** Where an endpoint is scheduled, for ever. */
function shardOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0) % shardCount;
}
