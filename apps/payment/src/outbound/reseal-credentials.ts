/**
 * Rotation of the vault's keys: credentials that an older key sealed are sealed with the newest, in batches, while the service
 * runs; what is in use meanwhile opens with either.
 */
import type { Database } from '@tillstream/database/database';
import type { Log } from '@tillstream/messaging/log';
import { publicId } from '@tillstream/database/public-id';
import type { Vault } from '@tillstream/vault/vault';
import { sql } from 'kysely';
import { contextOf } from './provider-accounts.ts';
import type { PaymentTables } from './tables.ts';

const batch = 500;
const beforeAll = '00000000-0000-0000-0000-000000000000';

/** When it answers and `unreadable` is 0, no account needs an older key. */
export async function resealCredentials(
  { database, vault, log }: { database: Database<PaymentTables>; vault: Vault; log: Log },
  signal?: AbortSignal,
): Promise<{ resealed: number; unreadable: number }> {
  const found = { resealed: 0, unreadable: 0 };
  for (let after = beforeAll; ;) {
    if (signal?.aborted === true) break;
    const last = await database.everyMerchant(
      'the credentials of all merchants are sealed with the new key',
      async (tx) => {
        const rows = await tx
          .selectFrom('provider_account')
          .select(['account_id', 'merchant_id', 'credentials'])
          .where('account_id', '>', after)
          .orderBy('account_id')
          .limit(batch)
          .execute();
        for (const row of rows) {
          try {
            if (vault.isCurrent(row.credentials)) continue;
            const anew = vault.seal(vault.open(row.credentials, contextOf(row)), contextOf(row));
            // Not over credentials that were changed in between.
            await sql`
            update provider_account set credentials = ${anew}
            where account_id = ${row.account_id}::uuid and credentials = ${row.credentials}`.execute(tx);
            found.resealed += 1;
          } catch (error) {
            log.error({ err: error, account_id: publicId('pa', row.account_id) }, 'credentials cannot be opened');
            found.unreadable += 1;
          }
        }
        return rows.at(-1)?.account_id;
      },
    );
    if (last === undefined) break;
    after = last;
  }
  return found;
}
