/** Mails about the beginning and the end of subscriptions: what they say, and when they are not sent. */
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postOf, type Post } from './post.ts';
import { aChildOf, aSubscriber, cancelled, expired, restored, subscriptionMessage } from './subscribers.ts';
import { anOrder, openWorld, orderMessage, paid, type World } from './world.ts';

let world: World;
let post: Post;
beforeAll(async () => {
  world = await openWorld();
  post = postOf(world);
});
afterAll(() => world.close());

describe('the confirmation of a payment that starts a subscription', () => {
  const confirmationOf = async (more: Parameters<typeof aSubscriber>[0]) => {
    const order = aSubscriber(more);
    post.know(order);
    return post.mailAfter(order, orderMessage(order, paid));
  };

  test('keeps what was agreed on: what renews, when, for how much, and how to cancel', async () => {
    const mail = await confirmationOf({});
    expect(mail).toContain('Your subscription: Quill Editor');
    expect(mail).toContain('on July 24, 2032 we charge €100.00 for the next term');
    expect(mail).toContain('until you cancel');
    expect(mail).toMatch(/You can cancel at any time on this page.*\nhttps:.*#autorenewal\n/);
    const german = await confirmationOf({ locale: 'de' });
    expect(german).toContain('Am 24. Juli 2032 buchen wir 100,00 € für die nächste Laufzeit ab.');
  });

  test('of a trial says that nothing was charged, and when the first charge is', async () => {
    const mail = await confirmationOf({ type: 'AR_TRIAL' });
    expect(mail).toContain('Your free trial has begun');
    expect(mail).toContain('nothing was charged');
    expect(mail).toContain('The first charge is on July 24, 2032: €100.00');
    expect(mail).not.toContain('Payment received');
    const german = await confirmationOf({ type: 'AR_TRIAL', locale: 'de' });
    expect(german).toContain('es wurde nichts abgebucht');
  });

  test('of one that is paid by hand, or at the price of the day, promises neither charge nor sum', async () => {
    expect(await confirmationOf({ type: 'PMR' })).toContain('Nothing is charged by itself.');
    const current = await confirmationOf({ renewalPrice: 'current' });
    expect(current).toContain('the price that the product then has');
    expect(current).not.toContain('we charge €');
  });

  test('says nothing of one that was cancelled meanwhile', async () => {
    expect(await confirmationOf({ status: 'cancelled' })).not.toContain('Your subscription');
  });
});

describe('a cancelled subscription', () => {
  test('is confirmed, with the end of the access', async () => {
    const order = aSubscriber();
    post.know(order);
    const at = new Date('2032-07-01T10:00:00Z');
    const mail = await post.mailAfter(order, subscriptionMessage(order, cancelled(), 5n, at));
    expect(mail).toContain('Your subscription to Quill Editor is cancelled');
    expect(mail).toContain('as you asked');
    expect(mail).toContain('You keep access until August 13, 2032.');
    expect(mail).toContain('Cancelled on: July 1, 2032 at 12:00 PM GMT+2');
    expect(mail).toContain('You can switch the renewal on again');
    expect(mail).not.toContain('next term');
  });

  test('by the shop, by a refund and of one that is paid by hand says what is so', async () => {
    const [byShop, byRefund, byHand] = [aSubscriber({ locale: 'de' }), aSubscriber(), aSubscriber({ type: 'PMR' })];
    post.know(byShop, byRefund, byHand);
    const shop = await post.mailAfter(
      byShop,
      subscriptionMessage(byShop, cancelled({ by: 'merchant', openOrderId: 5n })),
    );
    expect(shop).toContain('Quill & Söhne hat Ihr Abonnement von Quill Editor gekündigt.');
    expect(shop).toContain('müssen Sie nicht bezahlen');
    const refund = await post.mailAfter(byRefund, subscriptionMessage(byRefund, cancelled({ by: 'refund' })));
    expect(refund).toContain('Your order was refunded');
    expect(refund).not.toContain('access');
    const hand = await post.mailAfter(byHand, subscriptionMessage(byHand, cancelled()));
    expect(hand).not.toContain('switch the renewal on again');
  });

  test('is not told of when the merchant does not want it', async () => {
    const order = aSubscriber();
    post.know(order);
    await post.nothingIsQueued(order, subscriptionMessage(order, cancelled({ suppressed: true })));
    await post.nothingIsQueued(order, subscriptionMessage(order, restored({ suppressed: true }), 3n));
  });

  test('and restored and cancelled again is three mails', async () => {
    const order = aSubscriber();
    post.know(order);
    const again = subscriptionMessage(order, cancelled(), 4n);
    await world.carrier.publish([
      subscriptionMessage(order, cancelled(), 2n),
      subscriptionMessage(order, restored(), 3n),
      again,
      again,
    ]);
    await eventually(() => post.mailsTo(order).length === 3);
    expect((await post.settled(order)).map((mail) => mail.kind)).toEqual([
      'subscription_cancelled',
      'subscription_restored',
      'subscription_cancelled',
    ]);
    const { entries } = await world.running
      .client(TimelineApiService)
      .readTimeline({ merchantId: order.merchantId, orderId: order.orderId });
    expect(entries.map((entry) => entry.summary)).toContain(
      'The mail server took the confirmation of the cancellation.',
    );
  });
});

describe('a restored subscription', () => {
  test('is told with the next charge', async () => {
    const order = aSubscriber({ locale: 'de' });
    post.know(order);
    const mail = await post.mailAfter(order, subscriptionMessage(order, restored()));
    expect(mail).toContain('Ihr Abonnement von Quill Editor geht weiter');
    expect(mail).toContain('Die nächste Abbuchung ist am 24. Juli 2032: 100,00 €.');
  });

  test('whose first charge is past is charged at once, and says so', async () => {
    const parent = aSubscriber();
    const child = aChildOf(parent);
    post.know(parent, { ...child, customer: anOrder().customer });
    const event = restored({ openOrderId: child.orderId, chargedAt: new Date(Date.now() - 5) });
    const mail = await post.mailAfter(parent, subscriptionMessage(parent, event));
    expect(mail).toContain('we charge it now');
    expect(mail).toContain(`Pay now: ${child.detailUrl.replace('/order/status/', '/pay/')}`);
  });

  test('for which no charge is planned promises none', async () => {
    const order = aSubscriber();
    post.know(order);
    const mail = await post.mailAfter(order, subscriptionMessage(order, restored({ chargedAt: 'not planned' })));
    expect(mail).toContain('switched on again');
    expect(mail).not.toMatch(/charge it now|next charge/i);
  });
});

describe('the end of the paid time', () => {
  test('is told of a cancelled subscription', async () => {
    const order = aSubscriber({ status: 'cancelled' });
    post.know(order);
    const mail = await post.mailAfter(order, subscriptionMessage(order, expired('cancelled')));
    expect(mail).toContain('Your subscription to Quill Editor has ended');
    expect(mail).toContain('ended on August 13, 2032');
    expect(mail).not.toContain('Pay now');
  });

  test('of one that is paid by hand leads to the order that renews it', async () => {
    const parent = aSubscriber({ type: 'PMR', locale: 'de' });
    const child = aChildOf(parent);
    post.know(parent, child);
    const mail = await post.mailAfter(parent, subscriptionMessage(parent, expired('not paid', child.orderId)));
    expect(mail).toContain('Ihr Abonnement von Quill Editor ist zu Ende');
    expect(mail).toContain(child.detailUrl.replace('/order/status/', '/pay/'));
  });

  test('is not told when something renews it, or its last charge tells it', async () => {
    const parents = [aSubscriber(), aSubscriber(), aSubscriber()] as const;
    const [running, charged, renewed] = parents;
    const [child, paidChild] = [aChildOf(charged), aChildOf(renewed, { status: 'paid' })];
    post.know(...parents, child, paidChild);
    await post.nothingIsQueued(running, subscriptionMessage(running, expired('active')));
    const last = expired('not paid', child.orderId);
    expect(await post.reasonAfter(charged, subscriptionMessage(charged, last))).toBe('told_with_last_charge');
    const race = expired('cancelled', paidChild.orderId);
    expect(await post.reasonAfter(renewed, subscriptionMessage(renewed, race))).toBe('renewed');
  });
});

test('what is kept of a mail holds no personal data', async () => {
  const all = await world.database.everyMerchant('the test looks for secrets', (tx) =>
    tx.selectFrom('mail').selectAll().execute(),
  );
  const text = JSON.stringify([all, world.log.lines], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  // Four digits by themselves: ids and times have any four among theirs now and then.
  expect(text).not.toMatch(/customer\.example|Jane|(?<![\w.-])4242(?![\w.-])|0123456789abcdef/);
});
