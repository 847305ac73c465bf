import { describe, expect, test } from 'vitest';
import { isAway, judge, judgeAttempt, retryAfterMs, retryDelayMs, standardDelaysMs } from './retry.ts';

describe('retries', () => {
  test('nine delays, 75 hours 35 minutes 5 seconds together', () => {
    expect(standardDelaysMs).toHaveLength(9);
    expect(standardDelaysMs.reduce((sum, ms) => sum + ms, 0)).toBe(((75 * 60 + 35) * 60 + 5) * 1_000);
  });

  test('each stays within 20 % and the tenth is none', () => {
    for (const [step, ms] of standardDelaysMs.entries()) {
      expect(retryDelayMs(standardDelaysMs, step, 0)).toBe(ms * 0.8);
      expect(retryDelayMs(standardDelaysMs, step, 0.999999)).toBeLessThanOrEqual(ms * 1.2);
    }
    expect(retryDelayMs(standardDelaysMs, 9, 0.5)).toBeUndefined();
  });

  const now = Date.parse('2026-11-21T12:00:00Z');
  test.each([
    ['30', 30_000],
    ['0', 0],
    ['Sat, 21 Nov 2026 12:10:00 GMT', 600_000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['31536000', 3_600_000],
    ['soon', 0],
    ['-5', 0],
    ['', 0],
    [undefined, 0],
  ])('Retry-After %s asks for %d ms', (header, ms) => expect(retryAfterMs(header, now)).toBe(ms));

  test.each([
    [200, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [404, 'retry'],
    [401, 'retry'],
    [410, 'gone'],
    [429, 'retry'],
    [500, 'retry'],
    [199, 'retry'],
  ] as const)('%d means %s', (status, verdict) => expect(judge(status, '')).toBe(verdict));

  test('a redirect is a failure; no answer means away, a refusal does not', () => {
    expect(judge(302, 'redirect')).toBe('retry');
    expect(judge(0, 'timeout')).toBe('retry');
    expect([
      isAway(0, 'connection_refused'),
      isAway(0, 'timeout'),
      isAway(503, ''),
      isAway(500, ''),
      isAway(404, ''),
      isAway(302, 'redirect'),
    ]).toEqual([true, true, true, false, false, false]);
  });

  test('an extra attempt takes nothing from the schedule; the last of the schedule ends it; patience counts', () => {
    const attempt = { step: 0, isExtra: false, delaysMs: [100, 200], nowMs: now, chance: 0.5 };
    const failure = { httpStatus: 500, error: '', retryAfter: undefined } as const;
    expect(judgeAttempt(failure, attempt)).toMatchObject({ outcome: 'waiting', retryInMs: 100, isCounted: true });
    expect(judgeAttempt(failure, { ...attempt, step: 2 }).outcome).toBe('exhausted');
    expect(judgeAttempt(failure, { ...attempt, step: 2, isExtra: true })).toMatchObject({
      outcome: 'waiting',
      isCounted: false,
    });
    expect(judgeAttempt({ ...failure, httpStatus: 429, retryAfter: '60' }, attempt)).toMatchObject({
      retryInMs: 60_000,
      retryAfterMs: 60_000,
    });
    expect(judgeAttempt({ ...failure, httpStatus: 410 }, attempt)).toMatchObject({ outcome: 'waiting', isGone: true });
    expect(judgeAttempt({ ...failure, httpStatus: 200 }, { ...attempt, step: 2 }).outcome).toBe('delivered');
  });
});
