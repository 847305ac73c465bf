/** Every sentence. What they cannot say yet (ledger, refunds, the gateway's answers) is in ../README.md. */
import { answeredAlike } from './answers.ts';
import type { Invariant } from './judge.ts';
import { deliveredIsSaid, licencesMatch, nobodyWaitsForNothing, secretsKept, storageKnows } from './licences.ts';
import { mailsArrive, saidInOrder, webhooksArrive } from './messages.ts';
import {
  booksAgree,
  capturedOnce,
  chargedOnce,
  nobodyIsLedAstray,
  noIsSaid,
  nothingStaysPayable,
  oneAtATime,
  onePaymentThere,
  nonePaysInVain,
  paidMeansPaid,
  receiptsAddUp,
  sumsAgree,
} from './money.ts';
import { promised } from './orders.ts';
import { pathsAreKnown } from './paths.ts';
import { cancelledIsNotCharged, nextStepIsKnown, termsFollow } from './renewals.ts';
import { keptApart } from './tenants.ts';
import { oneChargeATerm, paidTermsCount } from './terms.ts';
import { newsKeepsItsTime } from './time.ts';

export const invariants: readonly Invariant[] = [
  storageKnows,
  promised,
  answeredAlike,
  capturedOnce,
  onePaymentThere,
  chargedOnce,
  booksAgree,
  noIsSaid,
  nothingStaysPayable,
  nobodyIsLedAstray,
  nonePaysInVain,
  receiptsAddUp,
  paidMeansPaid,
  sumsAgree,
  oneAtATime,
  licencesMatch,
  deliveredIsSaid,
  nobodyWaitsForNothing,
  oneChargeATerm,
  paidTermsCount,
  termsFollow,
  newsKeepsItsTime,
  cancelledIsNotCharged,
  nextStepIsKnown,
  pathsAreKnown,
  saidInOrder,
  webhooksArrive,
  mailsArrive,
  secretsKept,
  keptApart,
];
