/**
 * The credentials of an account at the sandbox. The sandbox keeps no list of accounts: the API key names one and proves with an
 * HMAC that whoever issued it knows the installation's secret, and the secret of the account's callbacks is derived likewise
 * (apps/sandbox/README.md).
 */
import { createHmac } from 'node:crypto';
import { publicId } from '@tillstream/database/public-id';
import type { IssuedAccount } from '../../../ports.ts';
import { ownAccountId, sharedAccountId } from '../../../domain/provider-account.ts';

export interface InstallationSecrets {
  readonly secret: string;
  readonly callbackSecret: string;
}

/** The merchant's own. */
export function ownAccount({ secret, callbackSecret }: InstallationSecrets, merchantId: string): IssuedAccount {
  const accountId = ownAccountId(merchantId);
  const name = publicId('pa', accountId);
  return {
    accountId,
    credentials: {
      apiKey: `${name}.${derive(secret, `api key|${name}`)}`,
      callbackSecret: derive(callbackSecret, `callbacks|${name}`),
    },
    settings: {},
  };
}

/** Of what was begun with the installation's credentials. It offers nothing: no new payment goes through it. */
export function sharedAccount({ secret, callbackSecret }: InstallationSecrets, merchantId: string): IssuedAccount {
  return {
    accountId: sharedAccountId(merchantId),
    credentials: { apiKey: secret, callbackSecret },
    settings: { methods: [], callbackAddress: 'sandbox' },
  };
}

function derive(secret: string, what: string): string {
  return createHmac('sha256', secret).update(what).digest('hex');
}
