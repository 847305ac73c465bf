/**
 * The ids of the accounts that an installation gives each merchant in test mode. They follow from the merchant's id, so that
 * two processes that need the account at the same moment make one.
 */

/** The merchant's own account at the sandbox: its id with 8, the custom version of RFC 9562, for 7. */
export function ownAccountId(merchantId: string): string {
  return `${merchantId.slice(0, 14)}8${merchantId.slice(15)}`;
}

/**
 * The account of what was begun before merchants had accounts: all merchants shared the installation's credentials and one
 * callback address. The id is the merchant's (migration 0006 writes it into old rows), and a row without an account, written by a
 * process of the version before while the installation is upgraded, means this account as well.
 */
export function sharedAccountId(merchantId: string): string {
  return merchantId;
}

/** In callbacks, the address that the shared accounts have in common: such a callback does not say whose it is. */
export const sharedAddress = '00000000-0000-0000-0000-000000000000';

/** Whether a callback of this account may speak about a payment of that one. */
export function mayReport(
  callback: { readonly accountId: string },
  payment: { readonly accountId: string; readonly merchantId: string },
): boolean {
  const account = callback.accountId === sharedAddress ? sharedAccountId(payment.merchantId) : callback.accountId;
  return payment.accountId === account;
}

// Consecutive failures from which on an account is called failing: one or two are a restart of the provider.
export const failingAfter = 5;
