/** What a test asks about the mails that follow a message. */
import type { Order } from '@tillstream/proto/order/v1/order_api';
import { eventually } from '@tillstream/testkit/eventually';
import type { ReceivedMail } from '@tillstream/testkit/mailbox';
import { expect } from 'vitest';
import { cancelled, subscriptionMessage } from './subscribers.ts';
import type { orderMessage, World } from './world.ts';

type Message = ReturnType<typeof orderMessage>;

export type Post = ReturnType<typeof postOf>;

export function postOf(world: World) {
  const know = (...orders: readonly Order[]) => {
    for (const order of orders) world.known.orders.set(order.orderId, order);
  };
  const mailsTo = (order: Order) =>
    world
      .mailbox()
      .messages()
      .filter((mail) => mail.envelopeTo.includes(order.customer?.email ?? ''));
  /** Nothing of the order is under way any more. */
  const settled = (order: Order) =>
    eventually(async () => {
      const mails = await world.mailsOf(order.orderId);
      return mails.length > 0 && mails.every((mail) => mail.state !== 'pending') && mails;
    });
  return {
    know,
    mailsTo,
    settled,
    /** The one mail that follows, in words. */
    async mailAfter(to: Order, ...messages: readonly Message[]): Promise<string> {
      await world.carrier.publish(messages);
      await eventually(() => mailsTo(to).length > 0);
      await settled(to);
      const [mail, ...more] = mailsTo(to);
      expect(more).toEqual([]);
      expect(mail?.html).not.toMatch(/\{\{|undefined|Invalid|null/);
      return mail === undefined ? '' : plain(mail);
    },
    /** Why no mail follows. */
    async reasonAfter(about: Order, message: Message): Promise<string | undefined> {
      await world.carrier.publish([message]);
      const [mail] = await settled(about);
      expect(mailsTo(about)).toEqual([]);
      expect(mail?.state).toBe('not_wanted');
      return mail?.reason;
    },
    async nothingIsQueued(about: Order, message: Message): Promise<void> {
      // Of the same key, so that it is heard after.
      await world.carrier.publish([message, subscriptionMessage(about, cancelled(), 99n)]);
      const mails = await settled(about);
      expect(mails.map((mail) => mail.about)).toEqual([`${about.orderId}_1.99`]);
    },
  };
}

function plain(mail: ReceivedMail): string {
  return `${mail.subject}\n${mail.text}`.replaceAll(/[\u00a0\u202f]/g, ' ');
}
