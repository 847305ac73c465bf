import { cancelAgainstRenewal } from './cancel-renewal.ts';
import { submitForm, submitWithKey } from './double-submit.ts';
import { endpointDelete } from './endpoint-delete.ts';
import { payAgainstExpiry, withdrawAgainstAuthorisation } from './ends-of-payment.ts';
import { licenceResend } from './licence-resend.ts';
import { poolTake } from './pool-take.ts';
import type { Race } from './race.ts';
import { twoShardOwners } from './shard-owners.ts';
import { twoRelays } from './two-relays.ts';
import { twoPayments } from './two-payments.ts';

export const races: readonly Race[] = [
  poolTake,
  twoPayments,
  payAgainstExpiry,
  withdrawAgainstAuthorisation,
  submitWithKey,
  submitForm,
  cancelAgainstRenewal,
  licenceResend,
  endpointDelete,
  twoRelays,
  twoShardOwners,
];
