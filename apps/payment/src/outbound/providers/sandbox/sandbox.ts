/** The sandbox as a provider: never in live mode, and only where the installation has one. */
import { z } from 'zod';
import type { Config } from '../../../config.ts';
import type { Offer } from '../../../domain/routing.ts';
import type { Access, ProviderKind } from '../../../ports.ts';
import { readSigned, readStored } from './callbacks.ts';
import { connector } from './connector.ts';
import { ownAccount, sharedAccount } from './credentials.ts';

export const name = 'sandbox';

const offers: readonly Offer[] = [{ method: 'CreditCard' }, { method: 'BankTransfer' }];

const credentialsOf = z.strictObject({ apiKey: z.string().min(1), callbackSecret: z.string().min(1) });
const settingsOf = z.object({
  /** Those of the account; absent = all that the sandbox has. */
  methods: z.array(z.string()).optional(),
  /** The last part of its callback address, where that is not the account's id. */
  callbackAddress: z.string().optional(),
});

export function sandbox(config: Config): ProviderKind | undefined {
  const { SANDBOX_URL: url, SANDBOX_SECRET: secret, SANDBOX_CALLBACK_SECRET: callbackSecret } = config;
  if (url === undefined || secret === undefined || callbackSecret === undefined) return undefined;
  const secrets = { secret, callbackSecret };
  return {
    name,
    connect(access: Access) {
      const credentials = credentialsOf.parse(access.credentials);
      const { methods, callbackAddress } = settingsOf.parse(access.settings);
      const callbackUrl =
        callbackAddress === undefined ? access.callbackUrl : new URL(callbackAddress, access.callbackUrl).href;
      return {
        offers: offers.filter(({ method }) => methods === undefined || methods.includes(method)),
        provider: connector({
          ...credentials,
          url,
          callbackUrl,
          pages: access.transport(url, 'pages'),
          charges: access.transport(url, 'charges'),
        }),
      };
    },
    readStored,
    issued: {
      own: (merchantId) => ownAccount(secrets, merchantId),
      shared: (merchantId) => sharedAccount(secrets, merchantId),
      readShared: (headers, body, now) => readSigned(callbackSecret, headers, body, now),
    },
  };
}
