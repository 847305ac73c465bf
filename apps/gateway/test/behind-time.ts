/** The subscription service and the time machine, as the gateway meets them. */
import type { BeginAdvanceRequest, TestClock, TestClockApiService } from '@tillstream/proto/merchant/v1/test_clock_api';
import {
  Subscription,
  type CancelSubscriptionRequest,
  type ListSubscriptionsRequest,
  type RestoreSubscriptionRequest,
  type SubscriptionApiService,
} from '@tillstream/proto/subscription/v1/subscription_api';
import { Refused, type RefusalCode } from '@tillstream/rpc/refusals';
import type { Handlers } from '@tillstream/rpc/server';
import { messageOf } from '@tillstream/testkit/wire';

export interface TimeScene {
  readonly subscriptions: Map<string, Subscription>;
  readonly changes: (CancelSubscriptionRequest | RestoreSubscriptionRequest)[];
  readonly listed: ListSubscriptionsRequest[];
  readonly advances: BeginAdvanceRequest[];
  clock: TestClock;
  /** How often somebody has looked at the clock since the advance began. */
  looks: number;
  /** At which look the advance is done. */
  doneAtLook: number;
  /** Looks at which nobody answers. */
  readonly silentLooks: Set<number>;
  refuseClockWith: { code: RefusalCode; param?: string } | undefined;
}

export const yearly = '1000001_7';

const moment = (text: string) => new Date(text);

export function timeScene(merchantId: string): TimeScene {
  return {
    subscriptions: new Map([
      [
        yearly,
        messageOf(Subscription, {
          id: yearly,
          merchantId,
          parentOrderId: 1_000_001n,
          parentItemId: 7n,
          productId: '100001',
          productName: 'Demo',
          quantity: 2,
          type: 'AR',
          status: 'active',
          period: 'P1Y',
          term: 1,
          startedAt: moment('2026-01-01T10:00:02Z'),
          expiresAt: moment('2027-01-01T22:59:00Z'),
          nextChargeAt: moment('2026-12-12T22:59:00Z'),
          renewalAmountMinor: 20_000n,
          currency: 'EUR',
          renewalPrice: 'snapshot',
          lastOrderId: 1_000_001n,
          lastItemId: 7n,
          timeZone: 'Europe/Prague',
          createdAt: moment('2026-01-01T10:00:02Z'),
        }),
      ],
      ['1000001_8', messageOf(Subscription, { id: '1000001_8', merchantId, type: 'PMR', status: 'cancelled' })],
    ]),
    changes: [],
    listed: [],
    advances: [],
    clock: { merchantId, now: moment('2026-01-01T00:00:00Z'), status: 'wall', advance: undefined },
    looks: 0,
    doneAtLook: 0,
    silentLooks: new Set(),
    refuseClockWith: undefined,
  };
}

export function subscriptionFixture(scene: TimeScene): Handlers<typeof SubscriptionApiService> {
  const mine = ({ merchantId, subscriptionId }: { merchantId: string; subscriptionId: string }) => {
    const found = scene.subscriptions.get(subscriptionId);
    if (found === undefined || found.merchantId !== merchantId) throw new Refused('subscription_not_found');
    return found;
  };
  const keep = (changed: Subscription) => {
    scene.subscriptions.set(changed.id, changed);
    return { subscription: changed, isChanged: true };
  };
  return {
    getSubscription: async (request) => ({ subscription: mine(request) }),
    async listSubscriptions(request) {
      scene.listed.push(request);
      const found = [...scene.subscriptions.values()].filter((each) => each.merchantId === request.merchantId);
      return { subscriptions: found.slice(0, request.limit), hasMore: found.length > request.limit };
    },
    async cancelSubscription(request) {
      const found = mine(request);
      scene.changes.push(request);
      if (found.status === 'cancelled') return { subscription: found, isChanged: false };
      return keep({
        ...found,
        status: 'cancelled',
        cancelledBy: request.by,
        cancelledAt: moment('2026-02-01T00:00:00Z'),
        nextChargeAt: undefined,
        canRestore: true,
      });
    },
    async restoreSubscription(request) {
      const found = mine(request);
      scene.changes.push(request);
      if (found.status !== 'cancelled') return { subscription: found, isChanged: false };
      if (found.type === 'PMR') throw new Refused('restore_not_supported');
      return keep({ ...found, status: 'active', cancelledBy: '', cancelledAt: undefined, canRestore: false });
    },
  };
}

export function testClockFixture(scene: TimeScene): Handlers<typeof TestClockApiService> {
  const refuse = () => {
    if (scene.refuseClockWith === undefined) return;
    const { code, ...more } = scene.refuseClockWith;
    throw new Refused(code, more);
  };
  const look = () => {
    const { advance } = scene.clock;
    if (advance !== undefined && scene.looks >= scene.doneAtLook)
      scene.clock = {
        ...scene.clock,
        status: scene.clock.status === 'wall' ? 'wall' : 'ahead',
        now: scene.clock.status === 'wall' ? new Date() : advance.to,
        advance: { ...advance, status: 'done', at: advance.to, waitingFor: [], finishedAt: new Date() },
      };
    return { clock: scene.clock };
  };
  return {
    async getTestClock() {
      refuse();
      scene.looks += 1;
      if (scene.silentLooks.has(scene.looks)) throw new Refused('unavailable');
      return look();
    },
    async beginAdvance(request) {
      refuse();
      const isKnown = request.requestId !== '' && scene.advances.some((each) => each.requestId === request.requestId);
      scene.advances.push(request);
      if (isKnown) return look();
      scene.looks = 0;
      const from = scene.clock.now;
      scene.clock = {
        ...scene.clock,
        status: 'advancing',
        advance: {
          id: 'adv_1',
          from,
          to: request.to ?? moment('2027-02-05T00:00:00Z'),
          status: 'waiting',
          at: from,
          fired: [
            { at: moment('2026-12-12T22:59:00Z'), source: 'subscription', kind: 'charge', objectId: yearly },
            { at: moment('2027-01-01T22:59:00Z'), source: 'notification', kind: 'mail', objectId: '' },
          ],
          firedCount: 2,
          waitingFor: [{ source: 'webhook', what: 'deliveries', count: 3 }],
          startedAt: new Date(),
          finishedAt: undefined,
        },
      };
      return look();
    },
    async resetTestClock() {
      refuse();
      // Done again once every service has heard of it.
      const { advance } = scene.clock;
      scene.looks = 0;
      scene.clock = { ...scene.clock, status: 'wall', advance: advance && { ...advance, status: 'running' } };
      return { clock: scene.clock };
    },
  };
}
