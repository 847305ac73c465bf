/**
 * Accounts at the sandbox. It keeps no list of them: an API key names its account and proves with an HMAC that it was issued by the
 * installation, which alone knows the secret. An account sees its own payments; the installation's secret itself sees all, and
 * what is made with it belongs to no account.
 *
 *   API key of an account = <account>.<hex HMAC-SHA-256 of "api key|<account>", keyed by SANDBOX_SECRET>
 *   secret of its callbacks = hex HMAC-SHA-256 of "callbacks|<account>", keyed by SANDBOX_CALLBACK_SECRET
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface Caller {
  /** '' = the installation itself. */
  readonly account: string;
}

/** Undefined when the key is not one of ours. */
export function callerOf(authorization: string, secret: string): Caller | undefined {
  if (isSame(authorization, `Bearer ${secret}`)) return { account: '' };
  const account = /^Bearer ([a-z0-9_]{1,64})\.[0-9a-f]{64}$/.exec(authorization)?.[1];
  if (account === undefined) return undefined;
  return isSame(authorization, `Bearer ${account}.${derive(secret, `api key|${account}`)}`) ? { account } : undefined;
}

export function callbackSecretOf(account: string, secret: string): string {
  return account === '' ? secret : derive(secret, `callbacks|${account}`);
}

/** Whether the caller may know of it. */
export function maySee(caller: Caller, owned: { readonly account: string }): boolean {
  return caller.account === '' || caller.account === owned.account;
}

function derive(secret: string, what: string): string {
  return createHmac('sha256', secret).update(what).digest('hex');
}

function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
