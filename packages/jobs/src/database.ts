import type { AnyDatabase } from '@tillstream/database/database';
import type { QueryExecutorProvider } from 'kysely';

/** What jobs need of a service's database, whatever tables it has besides. */
export interface JobDatabase extends AnyDatabase {
  statement<R>(merchants: readonly string[], run: (one: QueryExecutorProvider) => Promise<R>): Promise<R>;
  everyMerchantStatement<R>(reason: string, run: (one: QueryExecutorProvider) => Promise<R>): Promise<R>;
}
