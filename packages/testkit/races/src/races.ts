import { payAgainstExpiry, withdrawAgainstAuthorisation } from './ends-of-payment.ts';
import { poolTake } from './pool-take.ts';
import type { Race } from './race.ts';
import { twoPayments } from './two-payments.ts';

export const races: readonly Race[] = [poolTake, twoPayments, payAgainstExpiry, withdrawAgainstAuthorisation];
