import { evolveAll } from '@tillstream/machine/machine';
import { cellsOf, outcomeOf } from '@tillstream/machine/matrix';
import { describe, expect, it, test } from 'vitest';
import { deliveryMatrix } from './delivery.matrix.ts';
import { codeCountOf, delivery, type Delivery, type DeliveryCommand, type DeliveryItem } from './delivery.ts';

const item: DeliveryItem = {
  orderId: 1n,
  itemId: 7n,
  productId: '100001',
  quantity: 3,
  oneCodePer: 'unit',
  firstItemId: 0n,
  previousItemId: 0n,
};
const request: DeliveryCommand = { type: 'requestDelivery', item };
const offer: DeliveryCommand = { type: 'offerCodes' };
const enough = [11n, 12n, 13n, 14n];

const states: Record<Delivery['status'], (onOffer: readonly bigint[]) => Delivery> = {
  absent: (onOffer) => ({ status: 'absent', onOffer }),
  waiting: (onOffer) => ({ status: 'waiting', item, onOffer }),
  delivered: () => ({ status: 'delivered', item, codeCount: 3 }),
};

describe('every status and every command', () => {
  test.each(cellsOf(deliveryMatrix))('$status: $command', ({ status, command, outcomes }) => {
    const sent = command === 'requestDelivery' ? request : offer;
    const found = [enough, []].map((onOffer) =>
      outcomeOf(delivery, states[status as Delivery['status']](onOffer), sent),
    );
    expect(new Set(found)).toEqual(new Set(outcomes));
  });
});

describe('a delivery', () => {
  it('takes a code for each unit, or one for all, and leaves the rest', () => {
    expect(delivery.decide(states.absent(enough), request)).toEqual({
      answer: 'accepted',
      events: [{ type: 'itemDelivered', item, codeIds: [11n, 12n, 13n] }],
    });
    const whole: DeliveryItem = { ...item, oneCodePer: 'product' };
    expect(codeCountOf(whole)).toBe(1);
    expect(delivery.decide(states.absent(enough), { type: 'requestDelivery', item: whole })).toMatchObject({
      events: [{ codeIds: [11n] }],
    });
  });

  it('takes nothing when there are too few', () => {
    expect(delivery.decide(states.absent([11n, 12n]), request)).toEqual({
      answer: 'accepted',
      events: [{ type: 'deliveryWaits', item }],
    });
    expect(delivery.decide(states.waiting([11n, 12n]), offer)).toMatchObject({
      answer: 'ignored',
      because: 'there are still too few codes',
    });
  });

  it('of a renewal is the same, and remembers whose licences came before', () => {
    const renewal: DeliveryItem = { ...item, firstItemId: 2n, previousItemId: 5n };
    expect(delivery.decide(states.absent(enough), { type: 'requestDelivery', item: renewal })).toEqual({
      answer: 'accepted',
      events: [{ type: 'itemDelivered', item: renewal, codeIds: [11n, 12n, 13n] }],
    });
  });

  it('waits once and is delivered once, whatever comes again', () => {
    const sent: readonly DeliveryCommand[] = [request, request, offer, offer, request];
    let state: Delivery = states.absent([]);
    const events = sent.flatMap((command, at) => {
      if (at === 2 && state.status === 'waiting') state = { ...state, onOffer: enough };
      const decision = delivery.decide(state, command);
      if (decision.answer !== 'accepted') return [];
      state = evolveAll(delivery, state, decision.events);
      return decision.events.map((event) => event.type);
    });
    expect(events).toEqual(['deliveryWaits', 'itemDelivered']);
    expect(state).toEqual({ status: 'delivered', item, codeCount: 3 });
  });
});
