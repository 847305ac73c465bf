import { describe, expect, test } from 'vitest';
import { Lane, type Job, type Report } from './lane.ts';

const fine: Report = { isDelivered: true, isAway: false, tookMs: 10, retryAfterMs: 0, isStanding: false };
const away: Report = { isDelivered: false, isAway: true, tookMs: 10, retryAfterMs: 0, isStanding: false };
const unwilling: Report = { ...away, isAway: false };
const job = (chain: string, dueAtMs = 0, triedAtMs = -Infinity): Job => ({ chain, dueAtMs, triedAtMs });

/** Takes what is ready and reports it; answers its chain. */
function turn(lane: Lane<Job>, nowMs: number, report: Report): string | undefined {
  if (lane.readyAtMs() > nowMs) return undefined;
  const taken = lane.take(nowMs);
  if (taken === undefined) return undefined;
  lane.finish(taken.job.chain, report, nowMs, 1);
  lane.drop(taken.job.chain);
  return taken.job.chain;
}

describe('a lane', () => {
  test('holds one job per chain, and gives the one that is due first', () => {
    const lane = new Lane<Job>('e');
    expect([lane.offer(job('b', 2)), lane.offer(job('a', 1)), lane.offer(job('a', 0))]).toEqual([true, true, false]);
    expect(lane.readyAtMs()).toBe(1);
    expect(lane.take(5)?.job.chain).toBe('a');
    // In flight: the chain is still taken.
    expect(lane.offer(job('a', 0))).toBe(false);
    lane.drop('a');
    expect(lane.offer(job('a', 0))).toBe(true);
  });

  test('opens after two that found nobody, and probes with growing pauses', () => {
    const lane = new Lane<Job>('e');
    for (const chain of ['a', 'b', 'c']) lane.offer(job(chain));
    expect([turn(lane, 0, away), turn(lane, 0, away)]).toEqual(['a', 'b']);
    expect(lane.isOpen).toBe(true);
    expect(lane.readyAtMs()).toBe(5_000);
    expect(turn(lane, 4_999, away)).toBeUndefined();
    expect(turn(lane, 5_000, away)).toBe('c');
    lane.offer(job('a', 300_000, 0));
    expect(lane.readyAtMs()).toBe(15_000);
    // Before its time: an extra attempt.
    expect(lane.take(15_000)).toMatchObject({ isExtra: true, job: { chain: 'a' } });
    expect(lane.finish('a', fine, 15_010, 1)).toBe('recovered');
    expect(lane.isOpen).toBe(false);
  });

  test('of a merchant whose clock stands never pauses: each job costs its one attempt', () => {
    const lane = new Lane<Job>('e');
    const standing: Report = { ...away, retryAfterMs: 3_600_000, isStanding: true };
    for (let n = 0; n < 20; n += 1) lane.offer(job(`${n}`));
    for (let n = 0; n < 20; n += 1) expect(turn(lane, 0, standing)).toBe(`${n}`);
    expect([lane.isOpen, lane.size]).toEqual([false, 0]);
    lane.offer(job('later'));
    expect(lane.readyAtMs()).toBe(0);
  });

  test('whose clock is set forgets what waits and the pauses of before, and keeps what is in flight', () => {
    const lane = new Lane<Job>('e');
    for (const chain of ['a', 'b', 'c', 'd']) lane.offer(job(chain));
    for (const report of [away, { ...away, retryAfterMs: 60_000 }]) turn(lane, 0, report);
    expect(lane.take(60_000)?.job.chain).toBe('c');
    lane.restart();
    expect([lane.isOpen, lane.size, lane.inFlight]).toEqual([false, 1, 1]);
    lane.finish('c', fine, 60_000, 1);
    lane.drop('c');
    lane.offer(job('e', 60_000));
    expect(lane.readyAtMs()).toBe(60_000);
  });

  test('pauses end at fifteen minutes: a dead receiver is asked at most a dozen times in its first hour', () => {
    const lane = new Lane<Job>('e');
    let attempts = 0;
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 1_000) {
      for (let each = 0; each < 3; each += 1) lane.offer(job(`${nowMs} ${each}`, nowMs));
      while (turn(lane, nowMs, away) !== undefined) attempts += 1;
    }
    expect(attempts).toBeLessThan(15);
  });

  test('whoever was tried least recently probes', () => {
    const lane = new Lane<Job>('e');
    lane.offer(job('poison'));
    turn(lane, 0, away);
    lane.offer(job('poison', 10, 0));
    turn(lane, 10, away);
    lane.offer(job('poison', 100_000, 10));
    expect(lane.isOpen).toBe(true);
    // One order alone failed: another is let through at once, and shows that the receiver is there.
    lane.offer(job('fresh', 11));
    expect(lane.readyAtMs()).toBeLessThanOrEqual(11);
    expect(turn(lane, 11, fine)).toBe('fresh');
    expect(lane.isOpen).toBe(false);
  });

  test('one order that is refused for ever does not open it; five refusals of three orders do', () => {
    const lane = new Lane<Job>('e');
    for (let nowMs = 0; nowMs < 20; nowMs += 1) {
      lane.offer(job('poison', nowMs));
      turn(lane, nowMs, unwilling);
    }
    expect(lane.isOpen).toBe(false);
    for (const chain of ['x', 'y']) lane.offer(job(chain));
    turn(lane, 30, unwilling);
    turn(lane, 30, unwilling);
    expect(lane.isOpen).toBe(true);
    // It answers, so nothing is sent before its time.
    lane.offer(job('z', 1_000_000, 1));
    expect(lane.readyAtMs()).toBe(1_000_000);
  });

  test('leaves a receiver alone for as long as it asked', () => {
    const lane = new Lane<Job>('e');
    lane.offer(job('a'));
    turn(lane, 0, { ...unwilling, retryAfterMs: 60_000 });
    lane.offer(job('b'));
    expect(lane.readyAtMs()).toBe(60_000);
  });

  test('takes more at once from a receiver that answers, and half as much from one that does not', () => {
    const lane = new Lane<Job>('e');
    const open = (nowMs: number) => {
      let n = 0;
      for (; lane.readyAtMs() <= nowMs; n += 1) lane.take(nowMs);
      return n;
    };
    for (let n = 0; n < 400; n += 1) {
      lane.offer(job(`${n}`));
      turn(lane, 0, fine);
    }
    for (let n = 0; n < 100; n += 1) lane.offer(job(`x${n}`));
    const wide = open(0);
    expect(wide).toBeGreaterThan(20);
    expect(wide).toBeLessThanOrEqual(64);
  });
});
