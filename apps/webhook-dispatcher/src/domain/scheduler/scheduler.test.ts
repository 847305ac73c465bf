import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Report } from './lane.ts';
import { Scheduler, type EndpointJob } from './scheduler.ts';

const job = (tenant: string, endpoint: string, chain: string, dueAtMs = 0): EndpointJob => ({
  tenant,
  endpoint,
  chain,
  dueAtMs,
  triedAtMs: -Infinity,
});
const report = (tookMs: number, isDelivered = true): Report => ({
  isDelivered,
  isAway: !isDelivered,
  tookMs,
  retryAfterMs: 0,
  isStanding: false,
});

interface Receiver {
  readonly tenant: string;
  readonly endpoint: string;
  /** Undefined = never answers: the time-out ends it. */
  readonly answersInMs: number | undefined;
}

const timeoutMs = 15_000;

/** Plays the schedule with a clock of its own; every receiver always has something to send. Answers who got how much. */
function play(
  receivers: readonly Receiver[],
  slots: number,
  forMs: number,
): Map<string, { delivered: number; busyMs: number; longestWaitMs: number }> {
  const scheduler = new Scheduler<EndpointJob>(slots);
  const got = new Map(
    receivers.map((each) => [each.endpoint, { delivered: 0, busyMs: 0, longestWaitMs: 0, lastMs: 0 }]),
  );
  const byEndpoint = new Map(receivers.map((each) => [each.endpoint, each]));
  const running: { job: EndpointJob; endsAtMs: number; tookMs: number }[] = [];
  let chain = 0;
  const feed = (each: Receiver, nowMs: number) => {
    while (scheduler.sizeOf(each.endpoint) < 20)
      scheduler.offer(job(each.tenant, each.endpoint, String((chain += 1)), nowMs), { isFailing: false, nowMs });
  };
  for (const each of receivers) feed(each, 0);
  for (let nowMs = 0; nowMs < forMs;) {
    for (let pick = scheduler.pick(nowMs); pick !== undefined; pick = scheduler.pick(nowMs)) {
      const tookMs = byEndpoint.get(pick.job.endpoint)?.answersInMs ?? timeoutMs;
      running.push({ job: pick.job, endsAtMs: nowMs + tookMs, tookMs });
      const mine = got.get(pick.job.endpoint);
      if (mine !== undefined) {
        mine.longestWaitMs = Math.max(mine.longestWaitMs, nowMs - mine.lastMs);
        mine.lastMs = nowMs;
      }
    }
    expect(scheduler.inFlight).toBeLessThanOrEqual(slots);
    running.sort((a, b) => a.endsAtMs - b.endsAtMs);
    // What is ready and was not picked waits for a slot.
    const readyAtMs = scheduler.readyAtMs();
    const next = Math.min(running[0]?.endsAtMs ?? Infinity, readyAtMs > nowMs ? readyAtMs : Infinity);
    if (next === Infinity) break;
    nowMs = next;
    while ((running[0]?.endsAtMs ?? Infinity) <= nowMs) {
      const ended = running.shift();
      if (ended === undefined) break;
      const receiver = byEndpoint.get(ended.job.endpoint);
      const isDelivered = receiver?.answersInMs !== undefined;
      scheduler.finish(ended.job, report(ended.tookMs, isDelivered), nowMs, 0.5);
      scheduler.drop(ended.job);
      const mine = got.get(ended.job.endpoint);
      if (mine !== undefined) {
        mine.busyMs += ended.tookMs;
        if (isDelivered) mine.delivered += 1;
      }
      if (receiver !== undefined) feed(receiver, nowMs);
    }
  }
  return got;
}

describe('the schedule', () => {
  test('half of the endpoints dead: the living are served as if they were alone', () => {
    const living = Array.from({ length: 20 }, (_, at) => ({ tenant: `t${at}`, endpoint: `e${at}`, answersInMs: 10 }));
    const dead = Array.from({ length: 20 }, (_, at) => ({
      tenant: `d${at}`,
      endpoint: `x${at}`,
      answersInMs: undefined,
    }));
    const alone = play(living, 64, 20_000);
    const together = play([...dead, ...living], 64, 20_000);
    const sum = (from: typeof alone) =>
      living.reduce((total, each) => total + (from.get(each.endpoint)?.delivered ?? 0), 0);
    // The first seconds go to finding out who is dead.
    expect(sum(together)).toBeGreaterThan(sum(alone) * 0.4);
    for (const each of living) expect(together.get(each.endpoint)?.longestWaitMs).toBeLessThan(1_000);
  });

  test('what is shared is time: a slow endpoint of one merchant and a quick one of another get about the same', () => {
    const slow = Array.from({ length: 4 }, (_, at) => ({ tenant: 'slow', endpoint: `s${at}`, answersInMs: 900 }));
    const quick = Array.from({ length: 4 }, (_, at) => ({ tenant: 'quick', endpoint: `q${at}`, answersInMs: 90 }));
    const got = play([...slow, ...quick], 8, 120_000);
    const busy = (of: readonly Receiver[]) =>
      of.reduce((total, each) => total + (got.get(each.endpoint)?.busyMs ?? 0), 0);
    const [a, b] = [busy(slow), busy(quick)];
    expect((a + b) ** 2 / (2 * (a * a + b * b))).toBeGreaterThan(0.9);
  });

  test('slow and unknown endpoints never hold more than six tenths of the slots', () => {
    const scheduler = new Scheduler<EndpointJob>(100);
    for (let at = 0; at < 500; at += 1) scheduler.offer(job(`t${at}`, `e${at}`, '1'), { isFailing: false, nowMs: 0 });
    let picked = 0;
    while (scheduler.pick(0) !== undefined) picked += 1;
    expect(picked).toBe(60);
  });

  test('one merchant with a great burst leaves room for the others', () => {
    const scheduler = new Scheduler<EndpointJob>(100);
    for (let at = 0; at < 200; at += 1)
      for (let n = 0; n < 4; n += 1) scheduler.offer(job('burst', `b${at}`, String(n)), { isFailing: false, nowMs: 0 });
    for (let at = 0; at < 10; at += 1) scheduler.offer(job(`t${at}`, `e${at}`, '1'), { isFailing: false, nowMs: 0 });
    const picked = new Set<string>();
    for (let pick = scheduler.pick(0); pick !== undefined; pick = scheduler.pick(0)) picked.add(pick.job.tenant);
    expect(picked.size).toBe(11);
  });

  test('a job is never sent twice at once, nor two of one chain, nor before its time; every slot comes back', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            tenant: fc.integer({ min: 0, max: 3 }),
            endpoint: fc.integer({ min: 0, max: 5 }),
            chain: fc.integer({ min: 0, max: 4 }),
            due: fc.integer({ min: 0, max: 50 }),
            took: fc.integer({ min: 1, max: 40 }),
            ok: fc.boolean(),
          }),
          { maxLength: 60 },
        ),
        fc.integer({ min: 1, max: 8 }),
        (jobs, slots) => {
          const scheduler = new Scheduler<EndpointJob>(slots);
          const inFlight = new Map<string, { job: EndpointJob; endsAtMs: number; ok: boolean; took: number }>();
          for (let nowMs = 0; nowMs < 200; nowMs += 5) {
            for (const each of jobs.filter((one) => Math.floor(one.due / 5) * 5 === nowMs)) {
              // An endpoint belongs to one merchant.
              scheduler.offer(job(`t${each.endpoint % 4}`, `e${each.endpoint}`, String(each.chain), each.due), {
                isFailing: false,
                nowMs,
              });
            }
            for (let pick = scheduler.pick(nowMs); pick !== undefined; pick = scheduler.pick(nowMs)) {
              const name = `${pick.job.endpoint} ${pick.job.chain}`;
              expect(inFlight.has(name)).toBe(false);
              expect(pick.isExtra || pick.job.dueAtMs <= nowMs).toBe(true);
              const plan = jobs.find((one) => `e${one.endpoint} ${one.chain}` === name);
              inFlight.set(name, {
                job: pick.job,
                endsAtMs: nowMs + (plan?.took ?? 1),
                ok: plan?.ok ?? true,
                took: plan?.took ?? 1,
              });
            }
            expect(inFlight.size).toBe(scheduler.inFlight);
            expect(inFlight.size).toBeLessThanOrEqual(slots);
            for (const [name, each] of inFlight) {
              if (each.endsAtMs > nowMs) continue;
              scheduler.finish(each.job, report(each.took, each.ok), nowMs, 0.5);
              scheduler.drop(each.job);
              inFlight.delete(name);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('no endpoint that answers waits for ever, whoever else is dead or slow', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            tenant: fc.integer({ min: 0, max: 4 }),
            answersInMs: fc.option(fc.integer({ min: 50, max: 3_000 }), { nil: undefined }),
          }),
          { minLength: 2, maxLength: 12 },
        ),
        fc.integer({ min: 4, max: 16 }),
        (made, slots) => {
          const receivers = made.map((each, at) => ({
            tenant: `t${each.tenant}`,
            endpoint: `e${at}`,
            answersInMs: each.answersInMs,
          }));
          const got = play(receivers, slots, 60_000);
          for (const each of receivers)
            if (each.answersInMs !== undefined) expect(got.get(each.endpoint)?.delivered ?? 0).toBeGreaterThan(0);
        },
      ),
      { numRuns: 20 },
    );
  });
});
