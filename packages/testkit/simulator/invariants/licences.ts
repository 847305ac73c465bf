import { by, placedOf, text } from './facts.ts';
import type { Invariant } from './judge.ts';

export const licencesMatch: Invariant = {
  id: 'I6',
  sentence: 'Each paid unit has exactly one licence, nothing unpaid has one, and no code is handed out twice.',
  check({ facts }) {
    const licences = by(facts.licences, 'item_id');
    const deliveries = by(facts.deliveries, 'item_id');
    const wrong = facts.orders.flatMap((order) =>
      placedOf(order).items.flatMap((item) => {
        const have = (licences.get(item.id) ?? []).length;
        if (order['status'] !== 'paid')
          return have === 0 ? [] : [`item ${item.id} is ${text(order['status'])} and has ${have} licences`];
        const want = item.oneCodePer === 'product' ? 1 : item.quantity;
        const [delivery] = deliveries.get(item.id) ?? [];
        if (delivery === undefined) return [`item ${item.id} is paid and nobody was asked to deliver it`];
        if (delivery['status'] === 'waiting')
          return have === 0 ? [] : [`item ${item.id} waits and has ${have} licences`];
        return have === want ? [] : [`item ${item.id} has ${have} licences instead of ${want}`];
      }),
    );
    const twice = [...by(facts.licences, 'pool_code_id')].filter(([, all]) => all.length > 1);
    return [...wrong, ...twice.map(([code, all]) => `code ${code} was handed out ${all.length} times`)];
  },
};

export const deliveredIsSaid: Invariant = {
  id: 'I6b',
  sentence: 'What was delivered is said to be, and nothing else.',
  check({ facts }) {
    const deliveries = by(facts.deliveries, 'order_id');
    return facts.orders.flatMap((order) => {
      const id = text(order['order_id']);
      const mine = deliveries.get(id) ?? [];
      const isDelivered =
        mine.length >= placedOf(order).items.length && mine.every((row) => row['status'] === 'delivered');
      const isSaid = order['fulfilment_status'] === 'delivered';
      return isDelivered === isSaid
        ? []
        : [`order ${id} is ${text(order['fulfilment_status'])}, its items are ${isDelivered ? '' : 'not '}delivered`];
    });
  },
};

export const nobodyWaitsForNothing: Invariant = {
  id: 'I6c',
  sentence: 'Nobody who has paid waits for codes that are there.',
  check({ facts }) {
    const free = by(
      facts.poolCodes.filter((row) => row['issued_at'] === null),
      'product_id',
    );
    return facts.deliveries
      .filter((row) => row['status'] === 'waiting')
      .filter((row) => Number(row['code_count']) <= (free.get(text(row['product_id'])) ?? []).length)
      .map((row) => `item ${text(row['item_id'])} waits for ${text(row['code_count'])} codes, and they are there`);
  },
};

/** Codes are canaries: words that are found with their buyer, and nowhere else. */
export const secretsKept: Invariant = {
  id: 'I15',
  sentence: 'Licence codes and addresses are in no message, no log line and no letter to somebody else.',
  check({ world, facts }) {
    const secret = /CANARY-[A-Z]+-\d+|@canary\.example/;
    const messages = world.broker.all().filter(({ value }) => secret.test(Buffer.from(value).toString('latin1')));
    const lines = world.lines.filter((line) => secret.test(line));
    const emails = new Map(facts.orders.map((order) => [text(order['customer_email']), order]));
    const letters = world.mailServer.received.filter(({ to, text: words }) => /CANARY-/.test(words) && !emails.has(to));
    return [
      ...messages.map(({ topic }) => `a message of ${topic}`),
      ...lines.map((line) => `a log line: ${line.slice(0, 200)}`),
      ...letters.map(({ to }) => `a letter to ${to}`),
    ];
  },
};

/** Not about the product: what the storage in memory does not know must not pass for a fault that was survived. */
export const storageKnows: Invariant = {
  id: 'storage',
  sentence: 'The storage in memory knows every statement.',
  check: ({ world }) =>
    world.lines.filter((line) => line.includes('not known in memory')).map((line) => line.slice(0, 300)),
};
