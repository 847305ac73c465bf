/** I1–I5. There is no ledger and there are no refunds yet: the provider's journal stands where the ledger will. */
import { by, placedOf, text, type Row } from './facts.ts';
import type { Invariant } from './judge.ts';

const live = new Set(['created', 'seen', 'processing', 'confirmed']);

export const capturedOnce: Invariant = {
  id: 'I2',
  sentence: 'One intent is captured at most once, and never for another sum than it says.',
  check({ world, facts }) {
    const captures = world.provider.books.journal.filter(
      (entry) => entry.what !== 'decline' && entry.what !== 'withdrawal',
    );
    const payments = by(facts.payments, 'payment_id');
    return [...Map.groupBy(captures, (entry) => entry.payment.reference)].flatMap(([reference, all]) => {
      const [payment] = payments.get(reference) ?? [];
      const wrong = all.filter(
        ({ payment: said }) =>
          payment !== undefined &&
          (said.amountMinor !== text(payment['amount_minor']) || said.currency !== payment['currency']),
      );
      return [
        ...(all.length > 1 ? [`payment ${reference} was captured ${all.length} times`] : []),
        ...wrong.map(() => `payment ${reference} was captured with another sum`),
      ];
    });
  },
};

export const onePaymentThere: Invariant = {
  id: 'I2c',
  sentence: 'What is one payment here is one at the provider, however often it was asked for.',
  check({ world }) {
    const there = Map.groupBy(world.provider.books.payments.values(), (payment) => payment.reference);
    return [...there].flatMap(([reference, all]) =>
      all.length > 1 ? [`payment ${reference} is ${all.length} payments at the provider`] : [],
    );
  },
};

const over = new Set(['failed', 'expired', 'withdrawn', 'processing_expired']);

export const nothingStaysPayable: Invariant = {
  id: 'I3c',
  sentence: 'A payment that has ended here cannot be paid at the provider any more.',
  check({ world, facts }) {
    const payments = by(facts.payments, 'payment_id');
    return [...world.provider.books.payments.values()].flatMap(({ reference, status }) => {
      const [row] = payments.get(reference) ?? [];
      const isPayable = status === 'opened' || status === 'created';
      return isPayable && over.has(text(row?.['status']))
        ? [`payment ${reference} has ended as ${text(row?.['status'])}, and is ${status} at the provider`]
        : [];
    });
  },
};

export const nobodyIsLedAstray: Invariant = {
  id: 'I3e',
  sentence: 'A payment that is open here is not over at the provider: nobody is led to a page that is closed.',
  check({ world, facts }) {
    const there = new Map([...world.provider.books.payments.values()].map((each) => [each.reference, each.status]));
    return facts.payments.flatMap((row) => {
      const [id, status] = [text(row['payment_id']), text(row['status'])];
      const said = there.get(id);
      const isOver = said === 'withdrawn' || said === 'failed' || said === 'succeeded';
      return isOver && (status === 'created' || status === 'seen')
        ? [`payment ${id} is ${status}, and ${said} at the provider`]
        : [];
    });
  },
};

export const noIsSaid: Invariant = {
  id: 'I3d',
  sentence: 'A payment has failed only when the provider said no; silence and errors say nothing.',
  check({ world, facts }) {
    const declined = new Set(
      world.provider.books.journal.filter(({ what }) => what === 'decline').map(({ payment }) => payment.reference),
    );
    return facts.payments
      .filter((row) => row['status'] === 'failed' && !declined.has(text(row['payment_id'])))
      .map((row) => `payment ${text(row['payment_id'])} has failed, and the provider never said so`);
  },
};

export const chargedOnce: Invariant = {
  id: 'I2b',
  sentence: 'An order is paid once; money that came besides is held for review or due for refund.',
  check({ world, facts }) {
    const captured = new Set(
      world.provider.books.journal.filter((entry) => entry.what === 'capture').map((entry) => entry.payment.reference),
    );
    const paidBy = facts.payments.filter((row) => captured.has(text(row['payment_id'])));
    const said = by(
      facts.orderHistory.filter((row) => ['orderPaidAgain', 'orderPaidLate'].includes(text(row['type']))),
      'order_id',
    );
    return [...by(paidBy, 'order_id')].flatMap(([order, payments]) => {
      const plain = payments.filter((row) => row['review_reason'] === '').length;
      const beyond = plain - 1 - (said.get(order) ?? []).length;
      return beyond > 0 ? [`order ${order} was charged ${plain} times and says nothing of it`] : [];
    });
  },
};

export const booksAgree: Invariant = {
  id: 'I3',
  sentence: 'The provider’s books and ours agree: no money without a payment, no payment without money.',
  check({ world, facts }) {
    const payments = by(facts.payments, 'payment_id');
    const took = new Set<string>();
    const orphans = world.provider.books.journal.flatMap(({ what, payment }) => {
      if (what !== 'capture' && what !== 'verification') return [];
      took.add(payment.reference);
      const [row] = payments.get(payment.reference) ?? [];
      const isKnown = row !== undefined && (row['status'] === 'booked' || row['review_reason'] !== '');
      return isKnown
        ? []
        : [`${what} of payment ${payment.reference}, which is ${row === undefined ? 'nowhere' : text(row['status'])}`];
    });
    const unpaid = facts.payments.filter((row) => row['status'] === 'booked' && !took.has(text(row['payment_id'])));
    return [
      ...orphans,
      ...unpaid.map((row) => `payment ${text(row['payment_id'])} is booked, and the provider took nothing`),
    ];
  },
};

export const sumsAgree: Invariant = {
  id: 'I4',
  sentence: 'An order’s total is the sum of its items and of what is charged for it, in one currency.',
  check({ facts }) {
    const payments = by(facts.payments, 'order_id');
    return facts.orders.flatMap((order) => {
      const placed = placedOf(order);
      const id = text(order['order_id']);
      const sum = placed.items.reduce((total, item) => total + BigInt(item.amountMinor), 0n);
      const other = (payments.get(id) ?? []).filter(
        (row) => text(row['amount_minor']) !== placed.totalMinor || row['currency'] !== placed.currency,
      );
      return [
        ...(sum === BigInt(placed.totalMinor) ? [] : [`order ${id} costs ${placed.totalMinor}, its items ${sum}`]),
        ...other.map((row) => `order ${id} costs ${placed.totalMinor}, its payment is of ${text(row['amount_minor'])}`),
      ];
    });
  },
};

export const oneAtATime: Invariant = {
  id: 'I5',
  sentence:
    'An order has at most one online payment under way and one of each offline method, and at most one booked that is not due for refund.',
  check({ facts }) {
    const again = by(
      facts.orderHistory.filter((row) => row['type'] === 'orderPaidAgain' || row['type'] === 'orderPaidLate'),
      'order_id',
    );
    return [...by(facts.payments, 'order_id')].flatMap(([order, payments]) => {
      const under = payments.filter((row) => live.has(text(row['status'])));
      const kinds = new Set(under.map(kindOf));
      const booked = payments.filter((row) => row['status'] === 'booked').length - (again.get(order) ?? []).length;
      return [
        ...(under.length > kinds.size ? [`order ${order} has ${under.length} payments under way`] : []),
        ...(booked > 1 ? [`order ${order} has ${booked} booked payments`] : []),
      ];
    });
  },
};

function kindOf(row: Row): string {
  return row['is_offline'] === true ? text(row['method']) : 'online';
}

export const receiptsAddUp: Invariant = {
  id: 'I4b',
  sentence:
    'What an intent received is the sum of its receipts, each of a booked attempt, and it is paid when that reaches what was asked.',
  check({ facts }) {
    const receipts = by(facts.receipts, 'intent_id');
    const payments = by(facts.payments, 'order_id');
    const ofPayment = by(facts.receipts, 'payment_id');
    return facts.intents.flatMap((intent) => {
      const order = text(intent['order_id']);
      const received = (receipts.get(text(intent['intent_id'])) ?? []).filter(isReceived);
      const sum = received.reduce((total, row) => total + BigInt(text(row['amount_minor'])), 0n);
      const booked = (payments.get(order) ?? []).filter((row) => row['status'] === 'booked');
      const bookedIds = new Set(booked.map((row) => text(row['payment_id'])));
      const without = booked.filter(
        (row) => text(row['amount_minor']) !== '0' && !(ofPayment.get(text(row['payment_id'])) ?? []).some(isReceived),
      );
      const isPaid = booked.length > 0 && sum >= BigInt(text(intent['amount_minor']));
      return [
        ...(text(intent['received_minor']) === sum.toString()
          ? []
          : [`the intent of order ${order} received ${text(intent['received_minor'])}, its receipts are ${sum}`]),
        ...received
          .filter((row) => !bookedIds.has(text(row['payment_id'])))
          .map((row) => `a receipt of payment ${text(row['payment_id'])}, which is not booked`),
        ...without.map((row) => `payment ${text(row['payment_id'])} is booked without a receipt`),
        ...((intent['status'] === 'paid' || intent['status'] === 'overpaid') === isPaid
          ? []
          : [
              `the intent of order ${order} is ${text(intent['status'])} with ${sum} of ${text(intent['amount_minor'])}`,
            ]),
      ];
    });
  },
};

function isReceived(receipt: Row): boolean {
  return receipt['taken_for'] === 'counted' || receipt['taken_for'] === 'surplus';
}

export const nonePaysInVain: Invariant = {
  id: 'I3f',
  sentence:
    'An order that is paid has no open page any more: its other attempts were withdrawn, at the provider first.',
  check({ facts }) {
    const reached = new Set(
      facts.intents
        .filter((row) => row['status'] === 'paid' || row['status'] === 'overpaid')
        .map((row) => text(row['order_id'])),
    );
    return facts.payments
      .filter((row) => reached.has(text(row['order_id'])) && (row['status'] === 'created' || row['status'] === 'seen'))
      .map((row) => `order ${text(row['order_id'])} is paid, and payment ${text(row['payment_id'])} is still open`);
  },
};

export const paidMeansPaid: Invariant = {
  id: 'I3b',
  sentence: 'A booked payment reaches its order, and an order is paid by money only.',
  check({ facts }) {
    const booked = by(
      facts.payments.filter((row) => row['status'] === 'booked'),
      'order_id',
    );
    return facts.orders.flatMap((order) => {
      const id = text(order['order_id']);
      const isPaid = order['status'] === 'paid';
      if (isPaid && booked.get(id) === undefined) return [`order ${id} is paid, and no payment is booked`];
      if (order['status'] === 'not paid' && booked.get(id) !== undefined)
        return [`order ${id} has a booked payment and is not paid`];
      return [];
    });
  },
};
