/** I1, I2 and I5 at every commit, and whenever the provider takes money. */
import type { Entry } from '../../outside/books.ts';
import type { Change, Judge, Reading } from './watch.ts';

const live = new Set(['created', 'seen', 'processing', 'confirmed']);
// What a payment is for is said once.
const saidOnce = ['merchant_id', 'order_id', 'amount_minor', 'currency', 'livemode', 'is_off_session'] as const;

export interface MoneyJudges {
  readonly judges: readonly Judge[];
  /** The provider has written something into its books. */
  taken(entry: Entry): void;
}

/** Undefined complaints are none. */
function collector(id: string, sentence: string, about: Judge['about']): Judge & { complain(what: string): void } {
  let complaints: string[] = [];
  return {
    id,
    sentence,
    about,
    complain: (what) => complaints.push(what),
    settle: () => {
      if (complaints.length === 0) return complaints;
      const found = complaints;
      complaints = [];
      return found;
    },
  };
}

export function watchMoney(): MoneyJudges {
  const payments = new Map<string, Reading>();
  /** By order: of each payment under way, its method when that is offline. */
  const under = new Map<string, Map<string, string>>();
  const captured = new Set<string>();

  const hear = ({ old, now }: Change): void => {
    if (now === undefined) return books.complain(`payment ${old?.text('payment_id')} was removed`);
    const id = now.text('payment_id');
    payments.set(id, now);
    for (const column of saidOnce)
      if (old !== undefined && old.text(column) !== now.text(column))
        books.complain(`${column} of payment ${id} was ${old.text(column)} and is ${now.text(column)}`);
    if (BigInt(now.text('amount_minor')) < 0n) books.complain(`payment ${id} is of less than nothing`);
    const order = now.text('order_id');
    const mine = under.get(order) ?? new Map<string, string>();
    under.set(order, mine);
    if (live.has(now.text('status'))) mine.set(id, now.get('is_offline') === true ? now.text('method') : 'online');
    else mine.delete(id);
    if (mine.size > new Set(mine.values()).size)
      oneAtATime.complain(`order ${order} has ${mine.size} payments under way`);
  };

  const books = collector('I1', 'What a payment is for never changes, and no payment is ever removed.', (table) =>
    table.schema === 'payment' && table.name === 'payment' ? hear : undefined,
  );
  const oneAtATime = collector(
    'I5',
    'At no moment has an order two online payments under way, or two of one offline method.',
    () => undefined,
  );
  const capture = collector(
    'I2',
    'The provider never takes money that was not asked for: a committed payment of that sum, once.',
    () => undefined,
  );
  return {
    judges: [books, oneAtATime, capture],
    taken({ what, payment }) {
      if (what !== 'capture' && what !== 'verification') return;
      const { reference, amountMinor, currency } = payment;
      const row = payments.get(reference);
      if (row === undefined) capture.complain(`${what} of payment ${reference}, of which no row was committed`);
      else if (row.text('amount_minor') !== amountMinor || row.text('currency') !== currency)
        capture.complain(
          `${what} of ${amountMinor} ${currency} for payment ${reference} of ${row.text('amount_minor')}`,
        );
      if (captured.has(reference)) capture.complain(`payment ${reference} was captured again`);
      captured.add(reference);
    },
  };
}
