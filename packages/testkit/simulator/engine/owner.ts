/**
 * Whose code runs: a service between two crashes, a customer, an operator. Everything that is waited for belongs to an
 * owner; when the owner dies none of it goes on, as in a process that was killed.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface Owner {
  readonly name: string;
  isAlive: boolean;
  /** Of somebody outside: whose customer, or whose man, it is. */
  readonly merchantId?: string;
}

const owners = new AsyncLocalStorage<Owner>();

/** Of what nobody may kill: the world itself. */
export const nobody: Owner = { name: 'world', isAlive: true };

export function currentOwner(): Owner {
  return owners.getStore() ?? nobody;
}

export function runAs<T>(owner: Owner, run: () => T): T {
  return owners.run(owner, run);
}
