/**
 * How providers fare, account by account. Each answer is noted in memory and written for all accounts together every few seconds:
 * no purchase waits for it. What a process has noted and not written is lost with it.
 */
import type { Database } from '@tillstream/database/database';
import type { Log } from '@tillstream/messaging/log';
import { publicId } from '@tillstream/database/public-id';
import { sql } from 'kysely';
import { failingAfter } from '../domain/provider-account.ts';
import type { HttpTransport } from '../ports.ts';
import type { PaymentTables } from './tables.ts';

interface Noted {
  readonly merchantId: string;
  successAt: Date | null;
  failureAt: Date | null;
  /** Since the last success. */
  failures: number;
}

interface Row {
  account_id: string;
  provider: string;
  consecutive_failures: number;
}

export class AccountHealth {
  readonly #database: Database<PaymentTables>;
  readonly #log: Log;
  #noted = new Map<string, Noted>();

  constructor(database: Database<PaymentTables>, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** The same transport, whose answers are noted. Credentials that are refused are a failure as well as no answer. */
  watch(account: { readonly accountId: string; readonly merchantId: string }, transport: HttpTransport): HttpTransport {
    return async (request) => {
      let isGood = false;
      try {
        const answer = await transport(request);
        isGood = answer.status < 500 && ![401, 403, 429].includes(answer.status);
        return answer;
      } finally {
        this.#note(account, isGood, new Date());
      }
    };
  }

  #note(account: { readonly accountId: string; readonly merchantId: string }, isGood: boolean, at: Date): void {
    const { accountId, merchantId } = account;
    const noted = this.#noted.get(accountId) ?? { merchantId, successAt: null, failureAt: null, failures: 0 };
    this.#noted.set(accountId, noted);
    if (isGood) noted.successAt = at;
    else noted.failureAt = at;
    noted.failures = isGood ? 0 : noted.failures + 1;
  }

  /** Writes what was noted since the last time. */
  async write(): Promise<void> {
    const noted = [...this.#noted];
    if (noted.length === 0) return;
    this.#noted = new Map();
    const each = noted.map(([, one]) => one);
    const { rows } = await this.#database.statement(
      each.map(({ merchantId }) => merchantId),
      (one) =>
        sql<Row>`
          update provider_account set
            last_success_at = coalesce(t.success_at, provider_account.last_success_at),
            last_failure_at = coalesce(t.failure_at, provider_account.last_failure_at),
            consecutive_failures = case when t.success_at is null then provider_account.consecutive_failures + t.failures else t.failures end
          from unnest(
            ${noted.map(([accountId]) => accountId)}::uuid[], ${each.map(({ successAt }) => successAt)}::timestamptz[],
            ${each.map(({ failureAt }) => failureAt)}::timestamptz[], ${each.map(({ failures }) => failures)}::int[]
          ) as t (account_id, success_at, failure_at, failures)
          where provider_account.account_id = t.account_id
          returning provider_account.account_id, provider_account.provider, provider_account.consecutive_failures`.execute(
          one,
        ),
    );
    for (const { account_id: accountId, provider, consecutive_failures: failures } of rows)
      if (failures >= failingAfter && (this.#failuresOf(noted, accountId) ?? 0) > 0)
        this.#log.warn({ account_id: publicId('pa', accountId), provider, failures }, 'a provider account is failing');
  }

  #failuresOf(noted: readonly (readonly [string, Noted])[], accountId: string): number | undefined {
    return noted.find(([id]) => id === accountId)?.[1].failures;
  }
}
