import { evolveAll } from '@tillstream/machine/machine';
import { cellsOf, outcomeOf } from '@tillstream/machine/matrix';
import { describe, expect, it, test } from 'vitest';
import { deliveryMatrix } from './delivery.matrix.ts';
import { delivery, type Delivery, type DeliveryCommand } from './delivery.ts';
import type { DeliveryItem } from './method.ts';
import { pool } from './pool.ts';

const item: DeliveryItem = {
  orderId: 1n,
  itemId: 7n,
  productId: '100001',
  method: 'pool',
  quantity: 3,
  oneCodePer: 'unit',
  firstItemId: 0n,
  previousItemId: 0n,
};
const enough = [11n, 12n, 13n, 14n];
const request = (codeIds: readonly bigint[] = enough, of = item): DeliveryCommand => ({
  type: 'requestDelivery',
  item: of,
  offer: { codeIds },
});
const offer = (codeIds: readonly bigint[] = enough): DeliveryCommand => ({ type: 'offerCodes', offer: { codeIds } });

const states: Record<Delivery['status'], Delivery> = {
  absent: delivery.absent,
  waiting: { status: 'waiting', item },
  delivered: { status: 'delivered', item, codeCount: 3 },
};

describe('every status and every command', () => {
  test.each(cellsOf(deliveryMatrix))('$status: $command', ({ status, command, outcomes }) => {
    const send = command === 'requestDelivery' ? request : offer;
    const found = [enough, []].map((codeIds) =>
      outcomeOf(delivery, states[status as Delivery['status']], send(codeIds)),
    );
    expect(new Set(found)).toEqual(new Set(outcomes));
  });
});

describe('a delivery', () => {
  it('takes a code for each unit, or one for all, and leaves the rest', () => {
    expect(delivery.decide(states.absent, request())).toEqual({
      answer: 'accepted',
      events: [{ type: 'itemDelivered', item, codeIds: [11n, 12n, 13n] }],
    });
    const whole: DeliveryItem = { ...item, oneCodePer: 'product' };
    expect(pool.codeCountOf(whole)).toBe(1);
    expect(delivery.decide(states.absent, request(enough, whole))).toMatchObject({
      events: [{ codeIds: [11n] }],
    });
  });

  it('takes nothing when there are too few', () => {
    expect(delivery.decide(states.absent, request([11n, 12n]))).toEqual({
      answer: 'accepted',
      events: [{ type: 'deliveryWaits', item }],
    });
    expect(delivery.decide(states.waiting, offer([11n, 12n]))).toMatchObject({
      answer: 'ignored',
      because: 'there are still too few codes',
    });
  });

  it('of a renewal is the same, and remembers whose licences came before', () => {
    const renewal: DeliveryItem = { ...item, firstItemId: 2n, previousItemId: 5n };
    expect(delivery.decide(states.absent, request(enough, renewal))).toEqual({
      answer: 'accepted',
      events: [{ type: 'itemDelivered', item: renewal, codeIds: [11n, 12n, 13n] }],
    });
  });

  it('waits once and is delivered once, whatever comes again', () => {
    const sent = [request([]), request(), offer([]), offer(), offer(), request()];
    let state = delivery.absent;
    const events = sent.flatMap((command) => {
      const decision = delivery.decide(state, command);
      if (decision.answer !== 'accepted') return [];
      state = evolveAll(delivery, state, decision.events);
      return decision.events.map((event) => event.type);
    });
    expect(events).toEqual(['deliveryWaits', 'itemDelivered']);
    expect(state).toEqual({ status: 'delivered', item, codeCount: 3 });
  });
});
