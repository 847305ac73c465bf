/** What a merchant's accounts offer: the account that takes a payment, and the methods that a customer may choose from. */
import { methods, type Method } from '../domain/methods.ts';
import { route, type Candidate, type Wanted } from '../domain/routing.ts';
import { sharedAddress } from '../domain/provider-account.ts';
import type { Account, ProviderKind } from '../ports.ts';
import type { ProviderAccounts } from './provider-accounts.ts';

interface Merchant {
  readonly merchantId: string;
  readonly livemode: boolean;
}

export class Offered {
  readonly #accounts: ProviderAccounts;
  readonly #kinds: ReadonlyMap<string, ProviderKind>;

  constructor(accounts: ProviderAccounts, kinds: ReadonlyMap<string, ProviderKind>) {
    this.#accounts = accounts;
    this.#kinds = kinds;
  }

  /** What is to be kept must be chargeable again, by the method and by the account. */
  async accountFor({ merchantId, livemode }: Merchant, wanted: Wanted): Promise<Account | undefined> {
    const method = methods.find(({ code }) => code === wanted.method);
    if (method === undefined || (wanted.save && !method.canRenew)) return undefined;
    return route(await this.#accounts.ofMerchant(merchantId, livemode), wanted);
  }

  /** In the catalogue's order. */
  async methods(
    { merchantId, livemode }: Merchant,
    wanted: { readonly currency: string; readonly country: string },
  ): Promise<readonly Method[]> {
    const candidates =
      merchantId === '' ? this.#whatAllHave(livemode) : await this.#accounts.ofMerchant(merchantId, livemode);
    const takes = (code: string, save: boolean) =>
      route(candidates, { ...wanted, method: code, amountMinor: undefined, save }) !== undefined;
    return methods.flatMap((method) =>
      takes(method.code, false) ? [{ ...method, canRenew: method.canRenew && takes(method.code, true) }] : [],
    );
  }

  /** For a caller of the version before, which does not say whose methods it asks for. */
  #whatAllHave(livemode: boolean): readonly Candidate[] {
    if (livemode) return [];
    return [...this.#kinds.values()].flatMap((kind) => {
      if (kind.issued === undefined) return [];
      const { credentials, settings } = kind.issued.own(sharedAddress);
      const nowhere = async () => {
        throw new Error('what is only looked at is not called');
      };
      const { offers, provider } = kind.connect({ credentials, settings, callbackUrl: '', transport: () => nowhere });
      return [
        {
          state: 'active' as const,
          offers,
          canOpenPage: provider.openPage !== undefined,
          canCharge: provider.charge !== undefined,
        },
      ];
    });
  }
}
