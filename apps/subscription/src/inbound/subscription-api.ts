/** Answers SubscriptionApi: checks, asks, refuses. */
import type { Answer } from '@tillstream/messaging/perform';
import type { Clock } from '@tillstream/messaging/clock';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { SubscriptionApiService } from '@tillstream/proto/subscription/v1/subscription_api';
import { Refused } from '@tillstream/rpc/refusals';
import type { Handlers } from '@tillstream/rpc/server';
import type {
  ChangedBy,
  SubscriptionCommand,
  SubscriptionEvent,
  SubscriptionRefusal,
  SubscriptionState,
} from '../domain/subscription.ts';
import type { Place, ShowSubscription, SubscriptionReader } from '../ports.ts';

export interface ApiParts {
  readonly performer: {
    perform(
      envelopes: readonly Envelope<SubscriptionCommand>[],
    ): Promise<readonly Answer<SubscriptionState, SubscriptionEvent, SubscriptionRefusal>[]>;
  };
  readonly subscriptions: Pick<SubscriptionReader, 'get' | 'list'>;
  readonly show: ShowSubscription;
  readonly clock: Clock;
}

const statuses = ['not paid', 'active', 'cancelled'];
// bigint has 18 digits and some more; no order has so many.
const idForm = /^(\d{1,18})_(\d{1,18})$/;

export function answerSubscriptionApi({
  performer,
  subscriptions,
  show,
  clock,
}: ApiParts): Handlers<typeof SubscriptionApiService> {
  const change = async (merchantId: string, id: string, command: SubscriptionCommand) => {
    if (!idForm.test(id)) throw new Refused('subscription_not_found');
    const now = command.at;
    const [answer] = await performer.perform([{ id, merchantId, command, now }]);
    if (answer === undefined || answer.answer === 'refused')
      throw new Refused(answer?.reason ?? 'subscription_not_found');
    if (answer.state.status === 'absent') throw new Refused('subscription_not_found');
    const { state, version } = answer;
    return { subscription: show({ id, merchantId, version }, state, now), isChanged: answer.answer === 'accepted' };
  };
  return {
    async getSubscription({ merchantId, subscriptionId }) {
      const subscription = await subscriptions.get(merchantId, subscriptionId, clock.now(merchantId));
      if (subscription === undefined) throw new Refused('subscription_not_found');
      return { subscription };
    },
    async listSubscriptions({ merchantId, limit, startingAfter, endingBefore, status, orderId }) {
      if (status !== '' && !statuses.includes(status)) throw new Refused('invalid_field', { param: 'status' });
      const filter = {
        limit: Math.min(Math.max(limit, 1), 100),
        startingAfter: readPlace(startingAfter, 'starting_after'),
        endingBefore: readPlace(endingBefore, 'ending_before'),
        status,
        orderId,
      };
      return subscriptions.list(merchantId, filter, clock.now(merchantId));
    },
    cancelSubscription({ merchantId, subscriptionId, by, suppressCustomerNotification: isQuiet }) {
      const at = clock.now(merchantId);
      const command = { type: 'cancel', by: readBy(by, ['customer', 'merchant', 'refund']), isQuiet, at } as const;
      return change(merchantId, subscriptionId, command);
    },
    restoreSubscription({ merchantId, subscriptionId, by, suppressCustomerNotification: isQuiet }) {
      const at = clock.now(merchantId);
      const command = { type: 'restore', by: readBy(by, ['customer', 'merchant']), isQuiet, at } as const;
      return change(merchantId, subscriptionId, command);
    },
  };
}

function readPlace(id: string, param: string): Place | undefined {
  if (id === '') return undefined;
  const match = idForm.exec(id);
  if (match === null) throw new Refused('invalid_field', { param });
  return { orderId: BigInt(match[1] ?? 0), itemId: BigInt(match[2] ?? 0) };
}

function readBy(text: string, allowed: readonly ChangedBy[]): ChangedBy {
  const by = allowed.find((each) => each === text);
  if (by === undefined) throw new Refused('invalid_field', { param: 'by' });
  return by;
}
