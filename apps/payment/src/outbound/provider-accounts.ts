/**
 * Merchants' accounts at providers, ready for use. An account is read once and then kept for some seconds, so that a purchase
 * costs no statement for it.
 */
import type { Database } from '@tillstream/database/database';
import { publicId, readPublicId } from '@tillstream/database/public-id';
import { gatherEach } from '@tillstream/messaging/gather';
import type { Log } from '@tillstream/messaging/log';
import type { Vault } from '@tillstream/vault/vault';
import { sql } from 'kysely';
import { sharedAccountId } from '../domain/provider-account.ts';
import type { Account, HttpTransport, IssuedAccount, OfAccount, ProviderKind } from '../ports.ts';
import type { ProviderAccountRow, PaymentTables } from './tables.ts';

export interface AccountOptions {
  readonly database: Database<PaymentTables>;
  readonly vault: Vault;
  readonly kinds: ReadonlyMap<string, ProviderKind>;
  /** Where providers reach us; `/provider_callbacks/<pa_…>` is added. */
  readonly callbackBaseUrl: string;
  transport(url: string, purpose: 'pages' | 'charges'): HttpTransport;
  /** Notes how the provider fares. */
  watch(account: { readonly accountId: string; readonly merchantId: string }, transport: HttpTransport): HttpTransport;
  readonly log: Log;
  /** How long an account is used as it was read; default 10 s. */
  readonly keptForMs?: number;
}

interface Kept<T> {
  readonly value: Promise<T>;
  readonly untilMs: number;
}

// A change of an account is heeded by every process after so long.
const defaultKeptForMs = 10_000;
// Some kilobytes each. The oldest goes first.
const maxKept = 10_000;
// What the installation gives comes after all that a merchant has of its own.
const lastPosition = 1_000;

export class ProviderAccounts {
  readonly #options: AccountOptions;
  readonly #byId = new Map<string, Kept<Account | undefined>>();
  readonly #byMerchant = new Map<string, Kept<readonly Account[]>>();
  readonly #readById: (batchKey: string, accountId: string) => Promise<ProviderAccountRow | undefined>;
  readonly #readOfMerchant: (batchKey: string, merchantId: string) => Promise<readonly ProviderAccountRow[]>;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#readById = gatherEach((ids) => this.#rowsById(ids));
    this.#readOfMerchant = gatherEach((ids) => this.#rowsOfMerchants(ids));
  }

  /** In the merchant's order. Test mode has the account that the installation gives, made when it is first asked for. */
  async ofMerchant(merchantId: string, livemode: boolean): Promise<readonly Account[]> {
    return this.#kept(this.#byMerchant, `${merchantId} ${livemode}`, () => this.#openOfMerchant(merchantId, livemode));
  }

  /** The account through which a payment goes, for as long as there is anything to ask. Throws when it cannot be used. */
  async of({ merchant_id: merchantId, account_id }: OfAccount): Promise<Account> {
    const accountId = account_id ?? sharedAccountId(merchantId);
    const account = await this.#kept(this.#byId, accountId, async () => {
      const row = (await this.#readById('', accountId)) ?? (await this.#issueById(merchantId, accountId));
      return row === undefined ? undefined : this.#open(row);
    });
    if (account === undefined || account.merchantId !== merchantId)
      throw new Error(`there is no provider account ${publicId('pa', accountId)} of this merchant`);
    return account;
  }

  /** By the last part of a callback address. Undefined when there is none, or when it is disabled. */
  async byAddress(address: string): Promise<Account | undefined> {
    const accountId = readPublicId('pa', address);
    if (accountId === undefined) return undefined;
    const account = await this.#kept(this.#byId, accountId, async () => {
      const row = await this.#readById('', accountId);
      return row === undefined ? undefined : this.#open(row);
    });
    return account?.state === 'active' ? account : undefined;
  }

  async #openOfMerchant(merchantId: string, livemode: boolean): Promise<readonly Account[]> {
    const rows = await this.#readOfMerchant('', merchantId);
    const mine = rows.filter((row) => row.livemode === livemode);
    if (!livemode) {
      for (const kind of this.#options.kinds.values()) {
        const own = kind.issued?.own(merchantId);
        if (own === undefined || mine.some((row) => row.account_id === own.accountId)) continue;
        mine.push(await this.#keep(kind.name, merchantId, own));
      }
    }
    const accounts = await Promise.all(mine.map((row) => this.#tryOpen(row)));
    return accounts.filter((account) => account !== undefined);
  }

  /** One that cannot be opened is passed over, so that a merchant's others take the payment. */
  async #tryOpen(row: ProviderAccountRow): Promise<Account | undefined> {
    try {
      return await this.#open(row);
    } catch (error) {
      this.#options.log.error(
        { err: error, account_id: publicId('pa', row.account_id) },
        'a provider account cannot be used',
      );
      return undefined;
    }
  }

  async #open(row: ProviderAccountRow): Promise<Account> {
    const options = this.#options;
    const { account_id: accountId, merchant_id: merchantId, livemode, state, provider: providerName } = row;
    const kind = options.kinds.get(providerName);
    if (kind === undefined) throw new Error(`the provider ${providerName} is not configured`);
    const { offers, provider } = kind.connect({
      credentials: await this.#credentials(kind, row),
      settings: row.settings,
      callbackUrl: `${options.callbackBaseUrl}/provider_callbacks/${publicId('pa', accountId)}`,
      transport: (url, purpose) => options.watch({ accountId, merchantId }, options.transport(url, purpose)),
    });
    return {
      accountId,
      merchantId,
      livemode,
      state,
      providerName,
      provider,
      offers,
      canOpenPage: provider.openPage !== undefined,
      canCharge: provider.charge !== undefined,
    };
  }

  /** What the installation issued is issued anew when the installation's secrets, or the vault's keys, were changed. */
  async #credentials(kind: ProviderKind, row: ProviderAccountRow): Promise<unknown> {
    const { vault } = this.#options;
    const issued = this.#issued(kind, row.merchant_id, row.account_id);
    if (issued === undefined) return JSON.parse(vault.open(row.credentials, contextOf(row)).toString('utf8'));
    const wanted = JSON.stringify(issued.credentials);
    if (!isSealed(vault, row, wanted)) {
      await this.#options.database.statement([row.merchant_id], (one) =>
        sql`update provider_account set credentials = ${vault.seal(wanted, contextOf(row))} where account_id = ${row.account_id}::uuid`.execute(
          one,
        ),
      );
    }
    return issued.credentials;
  }

  #issued({ issued }: ProviderKind, merchantId: string, accountId: string): IssuedAccount | undefined {
    if (issued === undefined) return undefined;
    return [issued.own(merchantId), issued.shared(merchantId)].find((each) => each.accountId === accountId);
  }

  /** A payment names an account that is made when it is first needed. */
  async #issueById(merchantId: string, accountId: string): Promise<ProviderAccountRow | undefined> {
    for (const kind of this.#options.kinds.values()) {
      const issued = this.#issued(kind, merchantId, accountId);
      if (issued !== undefined) return this.#keep(kind.name, merchantId, issued);
    }
    return undefined;
  }

  /** The id follows from the merchant's: of two processes at the same moment the second finds the first one's row. */
  async #keep(provider: string, merchantId: string, issued: IssuedAccount): Promise<ProviderAccountRow> {
    const { accountId, credentials, settings } = issued;
    const key = { merchant_id: merchantId, account_id: accountId };
    const sealed = this.#options.vault.seal(JSON.stringify(credentials), contextOf(key));
    await this.#options.database.statement([merchantId], (one) =>
      sql`
        insert into provider_account (account_id, merchant_id, livemode, provider, credentials, settings, state, position)
        values (${accountId}, ${merchantId}, false, ${provider}, ${sealed}, ${JSON.stringify(settings)}::jsonb, 'active', ${lastPosition})
        on conflict (account_id) do nothing`.execute(one),
    );
    const row = await this.#readById('', accountId);
    if (row === undefined) throw new Error(`the provider account ${publicId('pa', accountId)} was not kept`);
    return row;
  }

  async #rowsById(ids: readonly string[]): Promise<readonly (ProviderAccountRow | undefined)[]> {
    const { rows } = await this.#options.database.everyMerchantStatement(
      'a callback names an account, and the account its merchant',
      (one) =>
        sql<ProviderAccountRow>`select * from provider_account where account_id = any (${ids}::uuid[])`.execute(one),
    );
    const byId = new Map(rows.map((row) => [row.account_id, row]));
    return ids.map((id) => byId.get(id));
  }

  async #rowsOfMerchants(merchants: readonly string[]): Promise<readonly (readonly ProviderAccountRow[])[]> {
    const { rows } = await this.#options.database.statement(merchants, (one) =>
      sql<ProviderAccountRow>`
        select * from provider_account where merchant_id = any (${merchants}::uuid[]) order by position, account_id`.execute(
        one,
      ),
    );
    const byMerchant = Map.groupBy(rows, (row) => row.merchant_id);
    return merchants.map((id) => byMerchant.get(id) ?? []);
  }

  /** As it was read a short time ago; who asks meanwhile shares the answer. A failure is not kept, nor is an absence. */
  #kept<T>(all: Map<string, Kept<T>>, key: string, read: () => Promise<T>): Promise<T> {
    const known = all.get(key);
    const nowMs = performance.now();
    if (known !== undefined && known.untilMs > nowMs) return known.value;
    const made: Kept<T> = { value: read(), untilMs: nowMs + (this.#options.keptForMs ?? defaultKeptForMs) };
    all.delete(key);
    all.set(key, made);
    const [oldest] = all.keys();
    if (all.size > maxKept && oldest !== undefined) all.delete(oldest);
    const forget = () => {
      if (all.get(key) === made) all.delete(key);
    };
    made.value.then((value) => value === undefined && forget(), forget);
    return made.value;
  }
}

export function contextOf(row: { readonly merchant_id: string; readonly account_id: string }): string {
  return `${row.merchant_id}|${row.account_id}`;
}

function isSealed(vault: Vault, row: ProviderAccountRow, wanted: string): boolean {
  try {
    return vault.isCurrent(row.credentials) && vault.open(row.credentials, contextOf(row)).toString('utf8') === wanted;
  } catch {
    return false;
  }
}
