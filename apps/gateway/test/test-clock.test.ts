import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectProblem } from './problems.ts';
import { keys, startGateway, type Running } from './running.ts';

let gateway: Running;
beforeAll(async () => {
  gateway = await startGateway({}, { everyMs: 10, forMs: 300 });
});
afterAll(() => gateway.stop());
beforeEach(() => {
  const { time } = gateway.scene;
  time.doneAtLook = 0;
  time.silentLooks.clear();
  time.refuseClockWith = undefined;
});

const advance = (body: unknown, headers = {}) => gateway.call('POST', '/v1/test_clock/advance', body, headers);
const countBegun = () => gateway.scene.time.advances.length;

test('the clock is shown before anything was done with it', async () => {
  expect((await gateway.call('GET', '/v1/test_clock')).body).toEqual({
    object: 'test_clock',
    livemode: false,
    now: '2026-01-01T00:00:00.000Z',
    status: 'wall',
    advance: null,
  });
});

test('an advance is waited for, and what fired is listed', async () => {
  gateway.scene.time.doneAtLook = 5;
  const answer = await advance({ by: 'P400D' });
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      object: 'test_clock',
      livemode: false,
      now: '2027-02-05T00:00:00.000Z',
      status: 'ahead',
      advance: {
        id: 'adv_1',
        from: '2026-01-01T00:00:00.000Z',
        to: '2027-02-05T00:00:00.000Z',
        at: '2027-02-05T00:00:00.000Z',
        status: 'done',
        fired: [
          { at: '2026-12-12T22:59:00.000Z', source: 'subscription', kind: 'charge', object: '1000001_7' },
          { at: '2027-01-01T22:59:00.000Z', source: 'notification', kind: 'mail', object: null },
        ],
        fired_count: 2,
        waiting_for: [],
        started_at: expect.any(String),
        finished_at: expect.any(String),
      },
    },
  ]);
  expect(gateway.scene.time.advances.at(-1)).toMatchObject({ by: 'P400D', to: undefined, requestId: '' });
});

test('a moment with an offset is the moment', async () => {
  expect((await advance({ to: '2030-06-01T02:00:00+02:00' })).body).toMatchObject({ now: '2030-06-01T00:00:00.000Z' });
  expect(gateway.scene.time.advances.at(-1)).toMatchObject({ by: '', to: new Date('2030-06-01T00:00:00Z') });
});

test('what takes longer is answered with how far it is; the same request again waits on for the same advance', async () => {
  gateway.scene.time.doneAtLook = Infinity;
  const key = { 'idempotency-key': 'a long one' };
  const early = await advance({ by: 'P400D' }, key);
  expect(early.status).toBe(202);
  expect(early.body).toMatchObject({
    status: 'advancing',
    advance: {
      status: 'waiting',
      finished_at: null,
      waiting_for: [{ source: 'webhook', what: 'deliveries', count: 3 }],
    },
  });
  gateway.scene.time.doneAtLook = 0;
  const late = await advance({ by: 'P400D' }, key);
  expect([late.status, late.headers['idempotent-replayed']]).toEqual([200, undefined]);
  const [first, second] = gateway.scene.time.advances.slice(-2);
  expect(second?.requestId).toBe(first?.requestId);
  expect(first?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  const before = countBegun();
  const replayed = await advance({ by: 'P400D' }, key);
  expect([replayed.status, replayed.text, replayed.headers['idempotent-replayed']]).toEqual([200, late.text, 'true']);
  expect(countBegun()).toBe(before);
});

test('an advance outlives a look that nobody answers', async () => {
  gateway.scene.time.doneAtLook = 6;
  for (const look of [1, 3, 4]) gateway.scene.time.silentLooks.add(look);
  expect((await advance({ by: 'P1D' })).status).toBe(200);
});

test.each<[unknown, string, string]>([
  [{}, 'invalid_field', 'by'],
  [{ by: 'P1D', to: '2027-01-01T00:00:00Z' }, 'invalid_field', 'to'],
  [{ by: '' }, 'invalid_field', 'by'],
  [{ by: 400 }, 'invalid_field', 'by'],
  [{ by: 'P'.repeat(65) }, 'too_long', 'by'],
  [{ to: '2027-01-01' }, 'invalid_field', 'to'],
  [{ to: '2027-02-30T00:00:00Z' }, 'invalid_field', 'to'],
  [{ to: '2027-01-01T00:00:00' }, 'invalid_field', 'to'],
  [{ to: 1_800_000_000 }, 'invalid_field', 'to'],
  [{ by: 'P1D', speed: 2 }, 'invalid_field', 'speed'],
  [[], 'invalid_field', 'body'],
  [undefined, 'invalid_field', 'body'],
])('%j is refused before anything moves', async (body, code, param) => {
  const before = countBegun();
  const answer = await advance(body);
  expectProblem(answer, 422, code);
  expect(answer.body['param']).toBe(param);
  expect(countBegun()).toBe(before);
});

test.each([
  ['clock_cannot_go_back', 422],
  ['clock_too_far', 422],
  ['test_mode_only', 409],
  ['test_clock_busy', 409],
] as const)('%s is told as it is', async (code, status) => {
  gateway.scene.time.refuseClockWith = { code, param: 'by' };
  const answer = await advance({ by: '-P1D' });
  expectProblem(answer, status, code);
  expect(answer.body['param']).toBe('by');
  expectProblem(await gateway.call('POST', '/v1/test_clock/reset'), status, code);
});

test('back to the wall', async () => {
  gateway.scene.time.doneAtLook = 4;
  const heardByAll = await gateway.call('POST', '/v1/test_clock/reset');
  expect([heardByAll.status, heardByAll.body]).toEqual([
    200,
    expect.objectContaining({ status: 'wall', advance: expect.objectContaining({ status: 'done' }) }),
  ]);
  gateway.scene.time.doneAtLook = Infinity;
  expect((await gateway.call('POST', '/v1/test_clock/reset')).status).toBe(202);
  expectProblem(await gateway.call('POST', '/v1/test_clock/reset', { to: 'then' }), 422, 'invalid_field');
});

test('a reader may look at the clock and not move it', async () => {
  const authorization = `Bearer ${keys.reader}`;
  expect((await gateway.call('GET', '/v1/test_clock', undefined, { authorization })).status).toBe(200);
  expectProblem(await advance({ by: 'P1D' }, { authorization }), 403, 'missing_scope');
});

test('who waits when the gateway stops is told how far it is', async () => {
  const stopping = await startGateway({}, { everyMs: 10, forMs: 60_000 });
  stopping.scene.time.doneAtLook = Infinity;
  const waiting = stopping.call('POST', '/v1/test_clock/advance', { by: 'P1D' });
  await expect.poll(() => stopping.scene.time.looks, { timeout: 10_000 }).toBeGreaterThan(2);
  const before = performance.now();
  await stopping.stop();
  expect((await waiting).status).toBe(202);
  // Also the sweeper, which may have been at its first sweep, ends at once.
  expect(performance.now() - before).toBeLessThan(5_000);
});
