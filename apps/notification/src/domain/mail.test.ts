import { expect, test } from 'vitest';
import { messageIdOf, settle, type Outcome } from './mail.ts';

const policy = { firstMs: 15_000, giveUpMs: 5 * 24 * 3_600_000 };
const weekMs = 7 * 24 * 3_600_000;
const yearMs = 365 * 24 * 3_600_000;
const later: Outcome = { type: 'refused_for_now', reason: 'busy' };
const away: Outcome = { type: 'outage', reason: 'mail_server_away' };

test('a mail that is refused for now is tried for at least three days, at most hourly', () => {
  for (const random of [0, 0.999]) {
    let [ageMs, attempts, tries] = [0, 0, 0];
    for (;;) {
      const settled = settle(later, { attempts, ageMs, wallAgeMs: 0 }, policy, random);
      tries += 1;
      if (settled.status === 'failed_permanently') break;
      expect(settled.status).toBe('pending');
      expect(settled.dueInMs).toBeGreaterThan(10_000);
      expect(settled.dueInMs).toBeLessThanOrEqual(3_600_000 * 1.25);
      attempts = settled.attempts;
      ageMs += settled.dueInMs;
    }
    expect(ageMs).toBeGreaterThanOrEqual(3 * 24 * 3_600_000);
    expect(tries).toBeLessThan(250);
  }
});

test('an outage uses up no try and is soon looked at again, however far its merchant has travelled', () => {
  expect(settle(away, { attempts: 3, ageMs: yearMs, wallAgeMs: 60_000 }, policy, 0.5)).toEqual({
    status: 'pending',
    attempts: 3,
    reason: 'mail_server_away',
    dueInMs: 0,
    pauseMs: 1_000,
  });
});

test('an outage of a week ends in a failure that somebody can see', () => {
  expect(settle(away, { attempts: 0, ageMs: weekMs, wallAgeMs: weekMs }, policy, 0).status).toBe('failed_permanently');
});

test('a no for good is not tried again, and neither is what nobody wants', () => {
  const tried = { attempts: 0, ageMs: 0, wallAgeMs: 0 };
  expect(settle({ type: 'refused_for_good', reason: 'recipient_refused' }, tried, policy, 0)).toMatchObject({
    status: 'failed_permanently',
    reason: 'recipient_refused',
  });
  expect(settle({ type: 'not_wanted', reason: 'send_mail_off' }, tried, policy, 0).status).toBe('not_wanted');
  expect(settle({ type: 'sent' }, tried, policy, 0)).toMatchObject({ status: 'sent', attempts: 1 });
});

test('the Message-ID names the order and the item, and never changes', () => {
  expect(messageIdOf('licence', '12345678.2', 'shop.example')).toBe('<licence.12345678.2@shop.example>');
});
