import { describe, expect, it } from 'vitest';
import type { Agreement } from './agreement.ts';
import {
  agreed,
  asked,
  byHand,
  cancel,
  charge,
  charging,
  child,
  day,
  existing,
  expire,
  failed,
  live,
  lost,
  notPaid,
  paid,
  restore,
  saidBy,
  slot0,
  slot1,
  slot2,
  soon,
  start,
  stateAfter,
  tell,
  told,
} from './lives.ts';
import { subscription } from './machine.ts';
import { plannedOf, type SubscriptionState } from './subscription.ts';

describe('a renewal', () => {
  it('is told of, asked for, charged, paid, and the next one is planned from the anchor', () => {
    const { state, said } = live([start(), tell(told), charge(slot0), child(2, slot0), (now) => paid(now, soon)]);
    expect(said.map((event) => event.type)).toEqual([
      'subscriptionStarted',
      'renewalNoticeDue',
      'renewalDue',
      'childOpened',
      'chargeDue',
      'subscriptionRenewed',
    ]);
    expect(said[4]).toMatchObject({ slot: 0 });
    expect(state).toMatchObject({
      status: 'active',
      term: { number: 2, anchorOn: '2026-01-10', periods: 2, expiresAt: day('2026-03-10') },
      renewal: { step: 'planned' },
      noticeAt: day('2026-03-01'),
      chargeAt: day('2026-03-08'),
    });
    expect(plannedOf(state)).toEqual({
      notice: day('2026-03-01'),
      charge: day('2026-03-08'),
      expire: undefined,
    });
  });

  it('happens once, whatever comes again', () => {
    const again = [...charging, ...charging, charge(slot1), child(2, slot1), child(2, slot1, 77n)];
    const once = (state: SubscriptionState) => paid(state, soon);
    const said = saidBy(...again, once, (state) => {
      const command = once(state);
      return command.type === 'recordPaid' ? { ...command, term: { ...command.term, number: 2 } } : command;
    });
    expect(said).toEqual(['subscriptionStarted', 'renewalDue', 'childOpened', 'chargeDue', 'subscriptionRenewed']);
  });

  it('is tried three times, and then nothing more', () => {
    const { said, state } = live(lost);
    expect(said.filter((event) => event.type === 'chargeDue').map((event) => event.slot)).toEqual([0, 1, 2]);
    expect(said.filter((event) => event.type === 'renewalFailed').map((event) => event.nextAt)).toEqual([
      slot1,
      slot2,
      undefined,
    ]);
    // Expired with the last failure, not a moment before.
    expect(said.at(-1)).toEqual({ type: 'subscriptionExpired' });
    expect(state.status).toBe('not paid');
    expect(plannedOf(state)).toEqual({ notice: undefined, charge: undefined, expire: undefined });
  });

  it('is not charged again while nobody knows what became of the charge, nor called expired', () => {
    const unknown = stateAfter(...charging);
    for (const at of [slot1, slot2, day('2026-02-20')]) {
      expect(subscription.decide(unknown, charge(at)).answer).toBe('ignored');
      expect(subscription.decide(unknown, expire(at)).answer).toBe('ignored');
    }
    // Found out after the second slot had passed: that one is skipped.
    expect(subscription.decide(unknown, failed(20n, new Date(slot1.getTime() + 1)))).toMatchObject({
      events: [{ type: 'renewalFailed', slot: 0, nextAt: slot2 }],
    });
    expect(saidBy(...charging, failed(20n, day('2026-02-20'))).slice(-2)).toEqual([
      'renewalFailed',
      'subscriptionExpired',
    ]);
  });

  // A turned clock: the end was waited for in vain while a charge was under way, then older news ended the renewal.
  it('that is ended by news from before the end of the paid time is called expired all the same', () => {
    const waiting = existing(stateAfter(...notPaid, charge(slot2)));
    expect(plannedOf(waiting).expire).toBeUndefined();
    const ended = stateAfter(...notPaid, charge(slot2), { type: 'recordDeleted', orderId: 20n, at: slot1 });
    expect(plannedOf(ended).expire).toEqual(slot2);
    expect(subscription.decide(ended, expire(slot2)).answer).toBe('accepted');
  });

  it('that the customer pays by hand revives it, with the card that was kept then', () => {
    const revived = stateAfter(...lost, (state) => paid(state, day('2026-02-20'), 'card-2'));
    expect(revived).toMatchObject({
      status: 'active',
      isExpired: false,
      term: { number: 2, expiresAt: day('2026-03-10'), instrumentId: 'card-2' },
      chargeAt: day('2026-03-08'),
    });
    // Weeks after even the next term would have ended: it begins anew with the payment.
    expect(stateAfter(...lost, (state) => paid(state, new Date('2026-03-31T08:00:00Z')))).toMatchObject({
      term: { anchorOn: '2026-03-31', periods: 1, expiresAt: day('2026-04-30') },
      noticeAt: day('2026-04-21'),
      chargeAt: day('2026-04-28'),
    });
  });

  it('is never charged on the day on which the term before was paid late', () => {
    const late = existing(stateAfter(...lost, (state) => paid(state, new Date('2026-03-09T12:00:00Z'))));
    expect(late.term.expiresAt).toEqual(day('2026-03-10'));
    expect(late.chargeAt).toEqual(day('2026-03-09'));
    expect(late.chargeAt?.getTime()).toBeGreaterThan(new Date('2026-03-09T12:00:00Z').getTime());
  });

  it('after three weeks of sleep is charged once, without a stale notice', () => {
    const woken = day('2026-03-01');
    const said = live([
      start(),
      tell(woken),
      charge(woken),
      expire(woken),
      child(2, woken),
      charge(woken),
      expire(woken),
    ]).said;
    expect(said.map((event) => event.type)).toEqual(['subscriptionStarted', 'renewalDue', 'childOpened', 'chargeDue']);
    expect(said.at(-1)).toMatchObject({ slot: 2 });
  });

  it('takes no failure for its own that is none: by hand, of another order, or from before the charge', () => {
    expect(subscription.decide(stateAfter(...notPaid), failed(20n, slot0)).answer).toBe('ignored');
    expect(subscription.decide(stateAfter(...charging), failed(21n, slot0)).answer).toBe('ignored');
    const before = new Date(slot0.getTime() - 1);
    expect(subscription.decide(stateAfter(...charging), failed(20n, soon, before)).answer).toBe('ignored');
    expect(subscription.decide(stateAfter(...charging), failed(20n, soon, soon)).answer).toBe('accepted');
  });

  it('ends when its child is deleted; only the customer could have revived it', () => {
    const { state, said } = live([...lost, { type: 'recordDeleted', orderId: 20n, at: day('2026-05-09') }]);
    expect(state).toMatchObject({ status: 'not paid', renewal: { step: 'gone' } });
    expect(said.at(-1)).toEqual({ type: 'childGone' });
    expect(subscription.decide(state, cancel(day('2026-05-10'))).answer).toBe('accepted');
  });
});

describe('a notice', () => {
  const short: Agreement = { ...agreed, period: 'P1W' };

  it('that would come before the term began is left out for an agreed price, else comes when it begins', () => {
    expect(existing(stateAfter(start(short))).noticeAt).toBeUndefined();
    const current: Agreement = { ...short, renewalPrice: 'current' };
    const begun = existing(stateAfter(start(current)));
    expect(begun.noticeAt).toEqual(current.startedAt);
    const next = existing(
      stateAfter(start(current), charge(day('2026-01-15')), child(2, day('2026-01-15')), (state) =>
        paid(state, day('2026-01-15')),
      ),
    );
    expect(next.noticeAt).toEqual(day('2026-01-17'));
  });

  it('names the price of the product where that is agreed on, and that is what is charged', () => {
    const current: Agreement = { ...agreed, renewalPrice: 'current' };
    const { state, said } = live([start(current), tell(told, 700n)]);
    expect(said.at(-1)).toEqual({ type: 'renewalNoticeDue', priceMinor: 700n, isNewPrice: true });
    expect(existing(state).priceMinor).toBe(700n);
    // Without a price, or without a notice, the last one stays.
    expect(live([start(current), tell(told)]).said.at(-1)).toMatchObject({ priceMinor: 500n, isNewPrice: false });
    expect(existing(stateAfter(start(current), tell(slot0, 900n))).priceMinor).toBe(500n);
    expect(live([start(), tell(told, 900n)]).said.at(-1)).toMatchObject({ priceMinor: 500n });
  });

  it('is told once, and only while the charge is ahead', () => {
    expect(saidBy(start(), tell(new Date(told.getTime() - 1)))).toHaveLength(1);
    expect(saidBy(start(), tell(told), tell(told))).toHaveLength(2);
    expect(saidBy(start(), tell(slot0))).toHaveLength(1);
    expect(saidBy(start(), cancel(told), tell(told), restore(soon))).not.toContain('renewalNoticeDue');
  });
});

describe('cancel and restore', () => {
  it('a cancel before the charge was asked for: no charge, also for a child that comes after it', () => {
    expect(saidBy(start(), cancel(told), charge(slot0))).toEqual(['subscriptionStarted', 'subscriptionCancelled']);
    expect(saidBy(...asked, cancel(slot0), child(2, slot0)).slice(2)).toEqual([
      'subscriptionCancelled',
      'childOpened',
      'cancelRepeated',
    ]);
  });

  it('a cancel after it: the charge goes on, its term lasts, and it stays cancelled', () => {
    const { state, said } = live([...charging, cancel(soon), (now) => paid(now, soon)]);
    expect(said.at(-1)?.type).toBe('subscriptionRenewed');
    expect(state).toMatchObject({ status: 'cancelled', term: { number: 2 }, chargeAt: undefined });
    expect(plannedOf(state)).toEqual({ notice: undefined, charge: undefined, expire: day('2026-03-10') });
    // Or fails, and nobody hears of a next try.
    const other = live([...charging, cancel(soon), failed(20n, soon)]);
    expect(other.said.at(-1)?.type).toBe('chargeLapsed');
    expect(plannedOf(other.state).charge).toBeUndefined();
  });

  it('access ends when the paid time does', () => {
    const cancelled = [start(), cancel(told)];
    expect(saidBy(...cancelled, expire(slot1))).toHaveLength(2);
    expect(saidBy(...cancelled, expire(slot2), expire(slot2)).slice(2)).toEqual(['subscriptionExpired']);
    // Cancelled only after the last try had failed and the time was over: it is known already.
    expect(saidBy(...lost, cancel(day('2026-02-12'))).filter((type) => type === 'subscriptionExpired')).toHaveLength(1);
  });

  it('a restore in time plans what was planned; what was missed is made up for at once', () => {
    expect(stateAfter(start(), cancel(told), restore(told))).toMatchObject({ status: 'active', chargeAt: slot0 });
    const missed = new Date(slot1.getTime() + 60_000);
    const restored = [start(), cancel(told), restore(missed), charge(missed), child(2, missed)];
    expect(live(restored).said.at(-1)).toMatchObject({ type: 'chargeDue', slot: 1 });
    expect(stateAfter(start(), cancel(told), restore(slot2)).status).toBe('cancelled');
  });

  it('a restore with an unpaid child goes on with its charges where they were left', () => {
    const cancelled = [...notPaid, cancel(soon)];
    expect(stateAfter(...cancelled, restore(soon))).toMatchObject({ status: 'not paid', chargeAt: slot1 });
    const missed = new Date(slot1.getTime() + 60_000);
    expect(live([...cancelled, restore(missed), charge(missed)]).said.at(-1)).toMatchObject({
      type: 'chargeDue',
      slot: 1,
    });
    expect(stateAfter(...lost, cancel(slot2), restore(day('2026-02-20')))).toMatchObject({
      status: 'not paid',
      chargeAt: undefined,
    });
    expect(stateAfter(...charging, cancel(soon), restore(soon))).toMatchObject({
      status: 'not paid',
      chargeAt: undefined,
    });
    // A child that came after the cancel was never charged: it is now.
    const untried = live([
      ...asked,
      cancel(slot0),
      child(2, slot0),
      restore(day('2026-02-20')),
      charge(day('2026-02-20')),
    ]);
    expect(untried.said.at(-1)).toMatchObject({ type: 'chargeDue', slot: 2 });
  });

  it('a child that is still being made when it is restored is charged when it is there', () => {
    expect(saidBy(...asked, cancel(slot0), restore(soon), child(2, soon)).slice(-2)).toEqual([
      'childOpened',
      'chargeDue',
    ]);
  });
});

describe('other plans', () => {
  it('by hand: a child and no charge; over when it is not paid', () => {
    const { state, said } = live([
      start(byHand),
      tell(told),
      charge(slot0),
      child(2, slot0),
      charge(slot1),
      expire(slot2),
    ]);
    expect(said.map((event) => event.type)).toEqual([
      'subscriptionStarted',
      'renewalNoticeDue',
      'renewalDue',
      'childOpened',
      'subscriptionExpired',
    ]);
    expect(state).toMatchObject({ status: 'not paid', chargeAt: undefined });
    expect(stateAfter(start(byHand), charge(slot0), child(2, slot0), (now) => paid(now, slot1, ''))).toMatchObject({
      status: 'active',
      term: { number: 2, instrumentId: '' },
    });
  });

  it('a trial is charged before its end, and the first full term counts from its end', () => {
    const trial: Agreement = { ...agreed, type: 'AR_TRIAL', period: 'P1Y', trialPeriod: 'P14D' };
    const begun = existing(stateAfter(start(trial)));
    expect(begun).toMatchObject({ chargeAt: day('2026-01-22'), noticeAt: day('2026-01-15'), term: { periods: 0 } });
    const at = day('2026-01-22');
    expect(stateAfter(start(trial), charge(at), child(2, at), (now) => paid(now, at))).toMatchObject({
      term: { number: 2, anchorOn: '2026-01-24', periods: 1, expiresAt: day('2027-01-24') },
      chargeAt: day('2027-01-04'),
    });
    expect(saidBy(start(trial), cancel(day('2026-01-20')), charge(at), expire(day('2026-01-24')))).toEqual([
      'subscriptionStarted',
      'subscriptionCancelled',
      'subscriptionExpired',
    ]);
  });
});
