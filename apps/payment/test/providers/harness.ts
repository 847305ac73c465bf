/** What the conformance suite needs to know of a provider: how its customers pay, and how it is made to misbehave. */
import type { Offer } from '../../src/domain/routing.ts';
import type { Access, Provider, ProviderKind } from '../../src/ports.ts';
import { makeWorld, type World } from '../world.ts';

export interface AtProvider {
  readonly id: string;
  readonly status: 'open' | 'processing' | 'paid' | 'failed' | 'withdrawn';
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly pageUrl: string;
}

export interface ProviderHarness {
  /** The last part of the callback address of the merchant's account. */
  address(merchantId: string): string;
  /** All that the provider has under a payment's id of ours, whichever account it is of. */
  knows(reference: string): Promise<readonly AtProvider[]>;
  /** The next call gets no answer that could be believed. */
  failNext(how: 'error before it acts' | 'error after it has acted' | 'no answer after it has acted'): Promise<void>;
  /** How callbacks come from now on; {} = each once, in their order. */
  callbacks(how: { twice?: boolean; reversed?: boolean; dropped?: boolean }): Promise<void>;
  pay(pageUrl: string): Promise<unknown>;
  decline(pageUrl: string): Promise<unknown>;
  /** A callback's headers, signed with the secret of the account that the address names. */
  sign(address: string, body: Buffer, at: Date): Record<string, string>;
  /** The same callback with other content, as the provider would have written it. */
  alter(body: Buffer, to: { eventId?: string; amountMinor?: bigint; currency?: string; reference?: string }): Buffer;
  /** Whether the callback says that the money was taken. */
  saysPaid(body: Buffer): boolean;
}

/** What an account is made to lack, by the last part of its callback address. */
export interface Limits {
  readonly without?: 'openPage' | 'charge' | 'withdraw' | 'ask';
  readonly offers?: readonly Offer[];
}

export interface Bench {
  readonly world: World;
  readonly harness: ProviderHarness;
  readonly limits: Map<string, Limits>;
  /** Requests that went to the provider for an account. */
  calls(address: string): number;
  /** The provider's functions for the merchant's account, as the service has them. */
  provider(merchantId: string): Provider;
}

/** Changes of accounts and limits are heeded after so long. */
export const heededAfterMs = 30;

export async function openBench(name: string, open: (world: World) => ProviderHarness): Promise<Bench> {
  const limits = new Map<string, Limits>();
  const calls = new Map<string, number>();
  const connected = new Map<string, Provider>();
  const watched = (kind: ProviderKind): ProviderKind => ({
    ...kind,
    connect(access) {
      const address = access.callbackUrl.slice(access.callbackUrl.lastIndexOf('/') + 1);
      const { offers, provider } = kind.connect(
        counting(access, () => calls.set(address, (calls.get(address) ?? 0) + 1)),
      );
      connected.set(address, provider);
      const { without = '', offers: limited = offers } = limits.get(address) ?? {};
      const left = Object.entries(provider).filter(([each]) => each !== without);
      return { offers: limited, provider: { readCallback: provider.readCallback, ...Object.fromEntries(left) } };
    },
  });
  const world = await makeWorld({
    accountsKeptForMs: heededAfterMs,
    providers: (all) => new Map([...all].map(([each, kind]) => [each, each === name ? watched(kind) : kind])),
  });
  const harness = open(world);
  return {
    world,
    harness,
    limits,
    calls: (address) => calls.get(address) ?? 0,
    provider(merchantId) {
      const provider = connected.get(harness.address(merchantId));
      if (provider === undefined) throw new Error('the account was not used yet');
      return provider;
    },
  };
}

function counting(access: Access, count: () => void): Access {
  return {
    ...access,
    transport: (url, purpose) => {
      const through = access.transport(url, purpose);
      return (request) => {
        count();
        return through(request);
      };
    },
  };
}
