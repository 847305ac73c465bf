/** Why a provider is not called: it cannot do this, or its account is disabled and was not asked before. */
import type { Account, Declined } from '../ports.ts';

export const notOffered: Declined = {
  outcome: 'declined',
  code: 'not_offered',
  description: 'The provider account does not offer this.',
};
const disabled: Declined = {
  outcome: 'declined',
  code: 'account_disabled',
  description: 'The provider account is disabled.',
};

/** Undefined = the call may be made. From the second try on the provider may have acted: it hears the same key again. */
export function refusalOf(account: Pick<Account, 'state'>, tries: number): Declined | undefined {
  return account.state === 'disabled' && tries <= 1 ? disabled : undefined;
}
