/** All of them. Ids are unique; mutants.test.ts proves that every patch still applies. */
import { deliveries } from './catalogue/deliveries.ts';
import { mails } from './catalogue/mails.ts';
import { messages } from './catalogue/messages.ts';
import { payments } from './catalogue/payments.ts';
import { renewals } from './catalogue/renewals.ts';
import { tenants } from './catalogue/tenants.ts';
import { webhooks } from './catalogue/webhooks.ts';
import type { Mutant } from './mutant.ts';

export const mutants: readonly Mutant[] = [
  ...messages,
  ...payments,
  ...deliveries,
  ...renewals,
  ...webhooks,
  ...mails,
  ...tenants,
];
