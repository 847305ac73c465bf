import { codeOf } from './database.ts';

const inFailedTransaction = '25P02';

/**
 * Asks several things of one transaction at once, in this order and in one round trip, and waits for all of them even when
 * one fails: what still came after a roll-back would stand alone. Throws the error that made the others fail.
 */
export async function together<const P extends readonly unknown[]>(
  asked: P,
): Promise<{ -readonly [At in keyof P]: Awaited<P[At]> }> {
  const settled = await Promise.allSettled(asked);
  const errors = settled.flatMap((each): unknown[] => (each.status === 'rejected' ? [each.reason] : []));
  if (errors.length > 0) throw errors.find((error) => codeOf(error) !== inFailedTransaction) ?? errors[0];
  return Promise.all(asked);
}
