/** Mails of merchants whose clock is not the wall’s. */
import { ClockApiService } from '@tillstream/proto/clock/v1/clock_api';
import { eventually } from '@tillstream/testkit/eventually';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postOf, type Post } from './post.ts';
import { aSubscriber, cancelled, chargeAt, noticeDue, subscriptionMessage } from './subscribers.ts';
import { openWorld, type World } from './world.ts';

let world: World;
let post: Post;
beforeAll(async () => {
  world = await openWorld();
  post = postOf(world);
});
afterAll(() => world.close());

describe('a merchant who travels in time', () => {
  const at = new Date('2032-07-14T21:59:00Z');
  const after = (ms: number) => new Date(at.getTime() + ms);
  const clock = () => world.running.client(ClockApiService);
  let sequence = 0n;
  const turn = (merchantId: string, to: Date) =>
    clock().setClock({ merchantId, sequence: (sequence += 1n), at: to, isStanding: true, isWall: false });
  const workOf = (merchantId: string) => clock().readWork({ merchantId, sinceSequence: 0n });

  test('gets mails that are stamped with that time, and stale ones by that time are not sent', async () => {
    const order = aSubscriber();
    const late = aSubscriber({ merchantId: order.merchantId });
    post.know(order, late);
    await turn(order.merchantId, at);
    await post.mailAfter(order, subscriptionMessage(order, noticeDue(), 2n, at));
    const [row] = await world.mailsOf(order.orderId);
    expect([row?.created_at, row?.settled_at]).toEqual([at, at]);
    await turn(order.merchantId, chargeAt);
    expect(await post.reasonAfter(late, subscriptionMessage(late, noticeDue(), 2n, chargeAt))).toBe('charge_is_past');
    expect((await workOf(order.merchantId)).busy).toEqual([]);
  });

  test('waits for the next try by its own clock, while others wait by the wall’s', async () => {
    const [order, other] = [aSubscriber(), aSubscriber()];
    post.know(order, other);
    await turn(order.merchantId, at);
    world.mailbox().refuse(true);
    await world.carrier.publish([
      subscriptionMessage(order, cancelled(), 2n, at),
      subscriptionMessage(other, cancelled()),
    ]);
    await eventually(async () => (await world.mailsOf(order.orderId))[0]?.tries === 1);
    const waiting = await eventually(async () => {
      const work = await workOf(order.merchantId);
      return work.busy.length === 0 && work;
    });
    const dueAt = waiting.nextDueAt?.getTime() ?? 0;
    expect(dueAt).toBeGreaterThan(at.getTime());
    expect(dueAt).toBeLessThan(at.getTime() + 1_000);
    expect(waiting.nextDue).toEqual([
      {
        dueAt: new Date(dueAt),
        source: 'notification',
        kind: 'retry subscription_cancelled',
        objectId: `${order.orderId}_1.2`,
      },
    ]);
    world.mailbox().refuse(false);
    await eventually(() => post.mailsTo(other).length === 1);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(post.mailsTo(order)).toEqual([]);
    await turn(order.merchantId, new Date(dueAt));
    await eventually(() => post.mailsTo(order).length === 1);
    expect((await post.settled(order))[0]?.settled_at).toEqual(new Date(dueAt));
  });

  test('and comes home does not wait for a try of years ahead', async () => {
    const order = aSubscriber();
    post.know(order);
    await turn(order.merchantId, at);
    world.mailbox().refuse(true);
    await world.carrier.publish([subscriptionMessage(order, cancelled(), 2n, at)]);
    await eventually(async () => (await world.mailsOf(order.orderId))[0]?.tries === 1);
    world.mailbox().refuse(false);
    const home = { merchantId: order.merchantId, sequence: (sequence += 1n), at: undefined, isStanding: false };
    await clock().setClock({ ...home, isWall: true });
    await eventually(() => post.mailsTo(order).length === 1);
    expect((await post.settled(order))[0]?.settled_at?.getTime()).toBeLessThan(at.getTime());
  });

  test('does not have to travel to get over an outage, which is somebody’s to mend', async () => {
    const order = aSubscriber();
    post.know(order);
    await turn(order.merchantId, after(60_000));
    await world.mailbox().stop();
    await world.carrier.publish([subscriptionMessage(order, cancelled(), 2n, after(60_000))]);
    await eventually(async () => (await world.mailsOf(order.orderId))[0]?.reason === 'mail_server_away');
    expect(await workOf(order.merchantId)).toMatchObject({ busy: [{ what: 'mails', count: 1 }], stuck: [] });
    await eventually(async () => {
      const { numAffectedRows } = await sql`
        update job_destination set away_since = now() - interval '1 minute'`.execute(world.database.unscoped);
      return numAffectedRows === 1n;
    });
    await eventually(async () => {
      const { busy, stuck, nextDueAt } = await workOf(order.merchantId);
      return busy.length === 0 && stuck[0]?.what === 'mails' && nextDueAt === undefined;
    });
    await world.reopenMailbox();
    await eventually(() => post.mailsTo(order).length === 1, 30_000);
    expect((await post.settled(order))[0]).toMatchObject({ state: 'done', settled_at: after(60_000) });
  });
});
