// What @tillstream/telemetry promises, seen from outside: by what a collector receives.
import { currentTraceparent, inSpan, markSpan, traceIdOf } from '@tillstream/telemetry/trace';
import { counter, durations, gauge } from '@tillstream/telemetry/metrics';
import { startTelemetry } from '@tillstream/telemetry/start';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startOtlpReceiver, type OtlpReceiver } from '../src/otlp-receiver.ts';

// Made while the module is loaded, before telemetry starts, as services do.
const sold = counter('test.sold', 'Sold');

let receiver: OtlpReceiver;
let telemetry: Awaited<ReturnType<typeof startTelemetry>>;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  telemetry = await startTelemetry({ service: 'tested', otlpEndpoint: `${receiver.endpoint}/`, exportEveryMs: 50 });
});
afterAll(async () => {
  await telemetry.stop();
  await receiver.stop();
});

test('a trace arrives as the tree that was made, across a seam that only carries a traceparent', async () => {
  let carried = '';
  await inSpan('click', { kind: 'server', attributes: { 'http.route': '/pay' } }, async () => {
    await inSpan('write', {}, async () => {
      carried = currentTraceparent();
    });
  });
  const other = markSpan('elsewhere', {});
  await inSpan(
    'process topic',
    { kind: 'consumer', parent: carried, links: [other, 'nonsense'] },
    async () => undefined,
  );

  const last = await receiver.waitFor((span) => span.name === 'process topic');
  await receiver.waitFor((span) => span.name === 'click');
  expect(last).toMatchObject({ service: 'tested', kind: 'consumer', traceId: traceIdOf(carried), isError: false });
  expect(last.links.map((link) => link.traceId)).toEqual([traceIdOf(other)]);
  expect(receiver.pathOf(last)).toEqual(['click', 'write', 'process topic']);
  expect(receiver.spans(last.traceId).find((span) => span.name === 'click')).toMatchObject({
    kind: 'server',
    parentSpanId: '',
    attributes: { 'http.route': '/pay' },
  });
});

test('a span whose work throws is marked, without the words of the error', async () => {
  await expect(
    inSpan('failing', {}, async () => {
      throw new TypeError('jane@example.test has no card');
    }),
  ).rejects.toThrow('no card');
  const span = await receiver.waitFor((each) => each.name === 'failing');
  expect(span.isError).toBe(true);
  expect(JSON.stringify(span)).not.toContain('jane');
});

test('a parent that is no traceparent is no parent', async () => {
  await inSpan('orphan', { parent: 'rubbish' }, async () => {
    expect(traceIdOf(currentTraceparent())).toMatch(/^[0-9a-f]{32}$/);
  });
  expect((await receiver.waitFor((span) => span.name === 'orphan')).parentSpanId).toBe('');
  expect(currentTraceparent()).toBe('');
  expect(traceIdOf('00-xyz-1-01')).toBe('');
});

test('metrics arrive, and a gauge that cannot be asked is left out without harm to the others', async () => {
  sold.add(3, { kind: 'book' });
  durations('test.took', 'Took').record(0.2, { route: '/a' });
  gauge('test.broken', 'Broken', () => Promise.reject(new Error('away')));
  gauge('test.depth', 'Depth', async () => 7, { queue: 'mail' });
  await telemetry.stop();
  const found = await receiver.waitForMetric((metric) => metric.name === 'test.depth');
  expect(found.points).toEqual([{ attributes: { queue: 'mail' }, value: 7 }]);
  const byName = new Map(receiver.metrics().map((metric) => [metric.name, metric]));
  expect(byName.get('test.sold')?.points).toEqual([{ attributes: { kind: 'book' }, value: 3 }]);
  expect(byName.get('test.took')).toMatchObject({ unit: 's', points: [{ attributes: { route: '/a' }, value: 1 }] });
  expect(byName.get('test.broken')?.points ?? []).toEqual([]);
});
