/** The subscription machine, cell by cell. Where there are several outcomes, dates and the child order decide. */
import type { Matrix } from '@tillstream/machine/matrix';
import type { SubscriptionCommand, SubscriptionRefusal, SubscriptionState } from './subscription.ts';

export const subscriptionMatrix: Matrix<SubscriptionState['status'], SubscriptionCommand['type'], SubscriptionRefusal> =
  {
    absent: {
      start: 'active',
      tellNotice: 'ignored',
      charge: 'ignored',
      recordChild: 'ignored',
      recordPaid: 'ignored',
      recordFailed: 'ignored',
      recordDeleted: 'ignored',
      cancel: 'refused: subscription_not_found',
      restore: 'refused: subscription_not_found',
      expire: 'ignored',
    },
    active: {
      start: 'ignored',
      tellNotice: ['active', 'ignored'],
      charge: ['active', 'ignored'],
      recordChild: ['not paid', 'ignored'],
      recordPaid: ['active', 'ignored'],
      recordFailed: 'ignored',
      recordDeleted: 'ignored',
      cancel: 'cancelled',
      restore: ['ignored', 'refused: restore_not_supported'],
      expire: 'ignored',
    },
    'not paid': {
      start: 'ignored',
      tellNotice: 'ignored',
      charge: ['not paid', 'ignored'],
      recordChild: 'ignored',
      recordPaid: ['active', 'ignored'],
      recordFailed: ['not paid', 'ignored'],
      recordDeleted: ['not paid', 'ignored'],
      cancel: 'cancelled',
      restore: ['ignored', 'refused: restore_not_supported'],
      expire: ['not paid', 'ignored'],
    },
    cancelled: {
      start: 'ignored',
      tellNotice: 'ignored',
      charge: 'ignored',
      recordChild: ['cancelled', 'ignored'],
      recordPaid: ['cancelled', 'ignored'],
      recordFailed: ['cancelled', 'ignored'],
      recordDeleted: ['cancelled', 'ignored'],
      cancel: 'ignored',
      restore: ['active', 'not paid', 'refused: restore_not_supported', 'refused: subscription_ended'],
      expire: ['cancelled', 'ignored'],
    },
  };
