/** Mails before and after the charge of a renewal, and about orders that are to be paid: what they say, and when they are not sent. */
import type { Order } from '@tillstream/proto/order/v1/order_api';
import type { OrderEvent } from '@tillstream/proto/order/v1/order_events';
import { TimelineApiService } from '@tillstream/proto/timeline/v1/timeline_api';
import { eventually } from '@tillstream/testkit/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mailsOfOrderEvents } from '../src/inbound/order-events.ts';
import { postOf, type Post } from './post.ts';
import { aChildOf, aSubscriber, chargeAt, failed, noticeDue, subscriptionMessage } from './subscribers.ts';
import { anOrder, openWorld, orderMessage, paid, type World } from './world.ts';

let world: World;
let post: Post;
beforeAll(async () => {
  world = await openWorld();
  post = postOf(world);
});
afterAll(() => world.close());

const renewalCreated = (parent: Order, isPaidByHand: boolean): NonNullable<OrderEvent['payload']> => ({
  $case: 'orderCreated',
  value: {
    itemCount: 1,
    renewal: {
      subscriptionId: `${parent.orderId}_1`,
      term: 2,
      itemId: 9n,
      amountMinor: 10_000n,
      currency: 'EUR',
      livemode: true,
      parentOrderId: parent.orderId,
      isPaidByHand,
    },
  },
});

const reminder = (number: number): NonNullable<OrderEvent['payload']> => ({
  $case: 'orderReminderDue',
  value: { number },
});

describe('the notice of a renewal', () => {
  test('says what, when, how much and how to cancel', async () => {
    const order = aSubscriber();
    post.know(order);
    const mail = await post.mailAfter(order, subscriptionMessage(order, noticeDue()));
    expect(mail).toContain('Quill Editor renews on July 24, 2032 for €100.00');
    expect(mail).toContain('Charge on: July 24, 2032 at 11:59 PM GMT+2');
    expect(mail).toContain('Paid until: August 13, 2032 at 11:59 PM GMT+2');
    expect(mail).toContain('Renews for: 1 year');
    expect(mail).toContain(`Manage or cancel:\n${order.detailUrl}#autorenewal\n`);
    expect(mail).not.toContain('price has changed');
  });

  test('in German says so in German', async () => {
    const order = aSubscriber({ locale: 'de-AT' });
    post.know(order);
    const mail = await post.mailAfter(order, subscriptionMessage(order, noticeDue()));
    expect(mail).toContain('Quill Editor verlängert sich am 24. Juli 2032 für € 100,00');
    expect(mail).toContain('Abbuchung am: 24. Juli 2032 um 23:59 MESZ');
    expect(mail).toContain('Verwalten oder kündigen:');
  });

  test('at a new price says the new sum clearly', async () => {
    const order = aSubscriber({ renewalPrice: 'current' });
    post.know(order);
    const due = noticeDue({ isNewPrice: true, amountMinor: 12_900n });
    const mail = await post.mailAfter(order, subscriptionMessage(order, due));
    expect(mail).toContain('at a new price: €129.00');
    expect(mail).toContain('The price has changed: the next term costs €129.00.');
  });

  test('after a trial says that it is the first charge, and not that the price has changed', async () => {
    const order = aSubscriber({ type: 'AR_TRIAL' });
    post.know(order);
    const due = noticeDue({ type: 'AR_TRIAL', isNewPrice: true, isConversionFromTrial: true });
    const mail = await post.mailAfter(order, subscriptionMessage(order, due));
    expect(mail).toContain('This is the first charge: €100.00 on July 24, 2032. Until now it was free.');
    expect(mail).not.toContain('price has changed');
  });

  test('of one that is paid by hand promises no charge', async () => {
    const order = aSubscriber({ type: 'PMR' });
    post.know(order);
    const mail = await post.mailAfter(order, subscriptionMessage(order, noticeDue({ type: 'PMR' })));
    expect(mail).toContain('Nothing is charged by itself');
    expect(mail).not.toContain('we charge');
  });

  test('is said once, however often the news comes', async () => {
    const order = aSubscriber();
    post.know(order);
    const message = subscriptionMessage(order, noticeDue());
    await post.mailAfter(order, message, message, subscriptionMessage(order, noticeDue()));
  });

  test('is not sent when its charge is past', async () => {
    const order = aSubscriber();
    post.know(order);
    const late = noticeDue({ chargeAt: new Date(Date.now() - 1_000) });
    expect(await post.reasonAfter(order, subscriptionMessage(order, late))).toBe('charge_is_past');
  });

  test('is not sent when the subscription was cancelled meanwhile', async () => {
    const order = aSubscriber({ status: 'cancelled' });
    post.know(order);
    expect(await post.reasonAfter(order, subscriptionMessage(order, noticeDue()))).toBe('subscription_cancelled');
  });
});

describe('a charge that failed', () => {
  test('is told with the day of the next try and the page to pay on', async () => {
    const parent = aSubscriber();
    const child = aChildOf(parent);
    post.know(parent, child);
    const next = new Date('2032-08-03T21:59:00Z');
    const mail = await post.mailAfter(child, subscriptionMessage(parent, failed(child, { nextChargeAt: next })));
    expect(mail).toContain('Payment failed: Quill Editor is not renewed yet');
    expect(mail).toContain('We try again on August 3, 2032.');
    expect(mail).toContain(`Pay now:\n${child.detailUrl.replace('/order/status/', '/pay/')}\n`);
    expect(mail).toContain(`Manage or cancel: ${parent.detailUrl}#autorenewal`);
  });

  test('for the last time says that it was the last', async () => {
    const parent = aSubscriber({ locale: 'de' });
    const child = aChildOf(parent);
    post.know(parent, child);
    const mail = await post.mailAfter(child, subscriptionMessage(parent, failed(child, { slot: 2 })));
    expect(mail).toContain('Dies war der letzte Versuch.');
    expect(mail).toContain('Ihr Zugang endet am 13. August 2032');
    expect(mail).toContain('/pay/');
  });

  test('is one mail for each try', async () => {
    const parent = aSubscriber();
    const child = aChildOf(parent);
    post.know(parent, child);
    const first = subscriptionMessage(parent, failed(child, { nextChargeAt: chargeAt }));
    await world.carrier.publish([first, first, subscriptionMessage(parent, failed(child, { slot: 1 }), 3n)]);
    await eventually(() => post.mailsTo(child).length === 2);
    expect((await post.settled(child)).length).toBe(2);
  });

  test('is not told once the order is paid, or the next try is over', async () => {
    const parent = aSubscriber();
    const [done, gone, late] = [
      aChildOf(parent, { status: 'paid' }),
      aChildOf(parent, { status: 'deleted' }),
      aChildOf(parent),
    ];
    post.know(parent, done, gone, late);
    for (const child of [done, gone, late]) child.customer = anOrder().customer;
    expect(await post.reasonAfter(done, subscriptionMessage(parent, failed(done)))).toBe('order_paid');
    expect(await post.reasonAfter(gone, subscriptionMessage(parent, failed(gone, { slot: 1 })))).toBe('order_deleted');
    const past = failed(late, { slot: 2, nextChargeAt: new Date(Date.now() - 1_000) });
    expect(await post.reasonAfter(late, subscriptionMessage(parent, past))).toBe('charged_again');
  });
});

describe('a child order', () => {
  test('that is paid by hand is sent to be paid', async () => {
    const parent = aSubscriber({ type: 'PMR' });
    const child = aChildOf(parent);
    post.know(parent, child);
    const mail = await post.mailAfter(child, orderMessage(child, renewalCreated(parent, true)));
    expect(mail).toContain('Renew Quill Editor: your order is ready');
    expect(mail).toContain('The paid time of Quill Editor ends on August 13, 2032.');
    expect(mail).toContain(`Pay now:\n${child.detailUrl.replace('/order/status/', '/pay/')}\n`);
  });

  test('that is charged by itself is not', async () => {
    const parent = aSubscriber();
    const child = aChildOf(parent);
    expect(
      mailsOfOrderEvents([{ ...orderMessage(child, renewalCreated(parent, false)), partition: 0, offset: 0n }]),
    ).toEqual([]);
    // Who says so wrongly is not believed: the order is asked.
    post.know(parent, child);
    expect(await post.reasonAfter(child, orderMessage(child, renewalCreated(parent, true)))).toBe('paid_by_itself');
  });

  test('once paid is confirmed with the new end', async () => {
    const parent = aSubscriber();
    const child = { ...aChildOf(parent, { status: 'paid', subscriptionStatus: 'active' }), paidAt: chargeAt };
    post.know(parent, child);
    const mail = await post.mailAfter(child, orderMessage(child, paid));
    expect(mail).toContain('Paid until: August 13, 2032 at 11:59 PM GMT+2');
    expect(mail).toContain('we charge €100.00 for the next term');
  });
});

describe('the reminder of an unpaid order', () => {
  test('leads to its payment', async () => {
    const order = { ...anOrder(), status: 'not paid', createdAt: new Date('2026-11-20T10:00:00Z'), livemode: true };
    post.know(order);
    const mail = await post.mailAfter(order, orderMessage(order, reminder(1)));
    expect(mail).toContain(`Your order ${order.orderName} waits for its payment`);
    expect(mail).toContain('on November 20, 2026');
    expect(mail).toContain('To be paid: €100.00');
    expect(mail).toContain(`Pay now:\n${order.detailUrl.replace('/order/status/', '/pay/')}\n`);
  });

  test('in German, and a second one, are mails of their own', async () => {
    const order = { ...anOrder({ locale: 'de' }), status: 'not paid', createdAt: new Date('2026-11-20T10:00:00Z') };
    post.know(order);
    await world.carrier.publish([
      orderMessage(order, reminder(1)),
      orderMessage(order, reminder(2)),
      orderMessage(order, reminder(2)),
    ]);
    await eventually(() => post.mailsTo(order).length === 2);
    expect((await post.settled(order)).length).toBe(2);
    expect(post.mailsTo(order)[0]?.subject).toContain('ist noch nicht bezahlt');
    const { entries } = await world.running
      .client(TimelineApiService)
      .readTimeline({ merchantId: order.merchantId, orderId: order.orderId });
    expect(entries.map((entry) => entry.summary)).toContain('The mail server took the payment reminder no. 2.');
  });

  test('is not sent when the order was paid or deleted meanwhile', async () => {
    const [paidOne, deletedOne] = [anOrder(), { ...anOrder(), status: 'deleted' }];
    post.know(paidOne, deletedOne);
    expect(await post.reasonAfter(paidOne, orderMessage(paidOne, reminder(1)))).toBe('order_paid');
    expect(await post.reasonAfter(deletedOne, orderMessage(deletedOne, reminder(1)))).toBe('order_deleted');
  });
});
