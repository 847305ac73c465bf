import { by, text } from './facts.ts';
import { shopOf } from '../shop.ts';
import type { Invariant } from './judge.ts';

export const saidInOrder: Invariant = {
  id: 'I9',
  sentence: 'Every committed message is sent, and those of one aggregate first come in the order of their versions.',
  check({ world, facts }) {
    const firstAt = new Map<string, number>();
    world.broker.all().forEach((message, at) => {
      if (!firstAt.has(message.headers.ce_id)) firstAt.set(message.headers.ce_id, at);
    });
    const rows = [
      ...facts.orderOutbox,
      ...facts.paymentOutbox,
      ...facts.fulfillmentOutbox,
      ...facts.subscriptionOutbox,
    ];
    const unsent = rows.filter((row) => !firstAt.has(text(row['event_id'])));
    const disorder = [
      ...Map.groupBy(rows, (row) => `${text(row['aggregate_type'])} ${text(row['aggregate_id'])}`),
    ].flatMap(([what, all]) => {
      const sorted = all.toSorted(
        (a, b) => Number(a['version']) - Number(b['version']) || Number(a['id']) - Number(b['id']),
      );
      const places = sorted.map((row) => firstAt.get(text(row['event_id'])) ?? Infinity);
      return places.every((place, at) => at === 0 || place >= (places[at - 1] ?? 0))
        ? []
        : [`messages of ${what} came out of order`];
    });
    return [
      ...unsent.map((row) => `a message of ${text(row['aggregate_type'])} ${text(row['aggregate_id'])} was never sent`),
      ...disorder,
    ];
  },
};

const toldEvents: Readonly<Record<string, string>> = {
  orderCreated: 'order.created',
  orderPaid: 'order.payment.succeeded',
  orderItemDelivered: 'product.delivered',
};

export const webhooksArrive: Invariant = {
  id: 'I12',
  sentence: 'Each event reaches each endpoint signed, under one id, and first comes in the order of the order’s story.',
  check({ world, shops, facts }) {
    const { heard } = world.receivers;
    const complaints = heard
      .filter((each) => !each.isSigned)
      .map((each) => `a webhook to ${each.endpoint} is not signed`);
    const story = by(facts.orderHistory, 'order_id');
    for (const [id, rows] of story) {
      const sorted = rows.toSorted((a, b) => Number(a['version']) - Number(b['version']));
      const wanted = sorted.flatMap((row) => toldEvents[text(row['type'])] ?? []);
      const { webhookSecrets } = shopOf(shops, text(sorted[0]?.['merchant_id']));
      for (const endpoint of webhookSecrets.keys()) {
        const mine = heard.filter((each) => each.endpoint === endpoint && String(each.orderId) === id);
        const first = mine.filter((each, at) => mine.findIndex((other) => other.id === each.id) === at);
        const events = first.map((each) => each.event).filter((event) => Object.values(toldEvents).includes(event));
        if (events.join() !== wanted.join())
          complaints.push(`${endpoint} heard of order ${id}: ${events.join(', ')} instead of ${wanted.join(', ')}`);
      }
    }
    return complaints;
  },
};

export const mailsArrive: Invariant = {
  id: 'I13',
  sentence: 'Each mail of an order is sent, and comes again only when an answer was lost or a process died.',
  check({ world, facts, story }) {
    const { received } = world.mailServer;
    const complaints: string[] = [];
    const ids = new Set(received.map((each) => each.messageId));
    const surplus = received.length - ids.size;
    // A crash sends at most five again.
    const most = story.faults.length * 5;
    if (surplus > most) complaints.push(`${surplus} mails came again after ${story.faults.length} faults`);
    const kinds = by(facts.mails, 'order_id');
    for (const order of facts.orders) {
      if (order['status'] !== 'paid') continue;
      const id = text(order['order_id']);
      const mine = kinds.get(id) ?? [];
      if (mine.filter((row) => row['kind'] === 'payment_confirmed').length > 1)
        complaints.push(`order ${id} is paid once, and several mails say so`);
      if (!mine.some((row) => row['kind'] === 'payment_confirmed'))
        complaints.push(`order ${id} is paid, and no mail says so`);
      if (order['fulfilment_status'] === 'delivered' && !mine.some((row) => row['kind'] === 'licence'))
        complaints.push(`order ${id} is delivered, and no mail brings the licence`);
    }
    // The mail server says "not now" or nothing, never "no". Who travels a month ahead may have had enough of "not now";
    // a server that is away is waited for by the wall.
    const hasTravelled = story.orders.some(({ steps }) => steps.some((step) => 'by' in step || step.do === 'wait'));
    const givenUp = facts.mails.filter(
      (row) => row['state'] === 'dead' && (!hasTravelled || text(row['reason']).startsWith('mail_server_')),
    );
    if (givenUp.length > 0) complaints.push(`${givenUp.length} mails are given up, and nobody refused them`);
    const rows = new Map(facts.mails.map((row) => [`<${text(row['kind'])}.${text(row['about'])}@`, row]));
    const come = new Set([...ids].map((id) => id.slice(0, id.indexOf('@') + 1)));
    for (const [name, { state }] of rows)
      if (state === 'done' && !come.has(name)) complaints.push(`a mail is sent and has not come: ${name}`);
    for (const name of come) {
      const row = rows.get(name);
      // Its answer was lost, and when it was to be sent again nobody wanted it any more.
      const isOverMeanwhile = row?.['state'] === 'not_wanted' && story.faults.length > 0;
      if (row?.['state'] !== 'done' && !isOverMeanwhile)
        complaints.push(`a mail has come and is ${text(row?.['state'])}: ${name}`);
    }
    return complaints;
  },
};
