/** The time machine of test mode. An advance goes on by itself in the services; here it is begun and waited for. */
import type { TestClock } from '@tillstream/proto/merchant/v1/test_clock_api';
import { instant, instantOf, madeAt, wholeNumber } from '@tillstream/public-api/values';
import { Refused } from '@tillstream/rpc/refusals';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clients } from '../clients.ts';
import type { Api } from '../http/api.ts';
import { requestIdOf } from '../http/idempotency.ts';
import { tenantOf } from '../http/tenant.ts';
import { optionalBody, problems, says } from '../shapes.ts';

const advance = z.object({
  id: z.string(),
  from: instant,
  to: instant,
  at: instant.describe('How far it has come.'),
  status: z.string().describe('running; waiting, for what waiting_for says; done'),
  fired: z
    .array(
      z.object({
        at: instant.describe('When it was due.'),
        source: z.string().describe('The service.'),
        kind: z.string().describe('Such as renewal_notice or order_deletion.'),
        object: z.string().nullable().describe('The id of what it is about.'),
      }),
    )
    .describe('In the order in which it happened; the first 1000.'),
  fired_count: wholeNumber.describe('All of them.'),
  waiting_for: z
    .array(z.object({ source: z.string(), what: z.string(), count: wholeNumber }))
    .describe('Why it does not go on, while it does not.'),
  started_at: instant.describe('By the wall clock.'),
  finished_at: instant.nullable().describe('By the wall clock.'),
});

const clock = z
  .object({
    object: z.literal('test_clock'),
    livemode: z.literal(false),
    now: instant,
    status: z.string().describe('wall, ahead, advancing'),
    advance: advance.nullable().describe('The newest advance.'),
  })
  .meta({ id: 'TestClock' });

const oneOfTwo = 'Exactly one of by and to.';
const target = z
  .strictObject({
    by: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('An ISO 8601 duration; days, weeks, months and years count in the time zone of the shop.')
      .meta({ examples: ['P400D', 'P1M', 'PT30M'] }),
    to: z.iso
      .datetime({ offset: true, error: 'An RFC 3339 instant, such as 2027-03-01T00:00:00Z.' })
      .optional()
      .meta({ examples: ['2027-03-01T00:00:00Z'] }),
  })
  .refine((body) => body.by === undefined || body.to === undefined, { path: ['to'], error: oneOfTwo })
  .refine((body) => body.by !== undefined || body.to !== undefined, { path: ['by'], error: oneOfTwo })
  .meta({ minProperties: 1, maxProperties: 1 });

/** How long an advance is waited for, and how often it is looked at. */
export interface Patience {
  readonly everyMs: number;
  readonly forMs: number;
}

// Proxies tend to give up after 60 seconds, and a key is held for 77: an answer comes before either.
const usualPatience: Patience = { everyMs: 50, forMs: 50_000 };

export function addTestClock(
  api: Api,
  { testClock }: Pick<Clients, 'testClock'>,
  patience: Patience = usualPatience,
): void {
  // Who still waits when the server stops is told how far it has come.
  const closing = new AbortController();
  api.addHook('preClose', async () => closing.abort());

  const settled = async (request: FastifyRequest, first: TestClock | undefined) => {
    const { merchantId } = tenantOf(request);
    const until = performance.now() + patience.forMs;
    let seen = first;
    while (isUnderWay(seen) && performance.now() < until && !closing.signal.aborted && !request.socket.destroyed) {
      await new Promise((resolve) => setTimeout(resolve, patience.everyMs));
      seen = (await lookAt(testClock, merchantId)) ?? seen;
    }
    return seen;
  };

  api.get(
    '/test_clock',
    {
      schema: {
        ...says('Test clock', 'getTestClock', 'What time it is for you', 'Test mode only.'),
        response: { 200: clock, ...problems },
      },
    },
    async (request) => show((await testClock.getTestClock({ merchantId: tenantOf(request).merchantId })).clock),
  );

  api.post(
    '/test_clock/advance',
    {
      schema: {
        ...says(
          'Test clock',
          'advanceTestClock',
          'Move your clock forward',
          'Everything of yours that falls due on the way, in every service, happens in the order of its due times and is stamped with them. 200 comes when all of it, and all that follows from it, is done. 202 comes after 50 seconds when it is not: the advance goes on by itself, advance.waiting_for says what it waits for, and GET /v1/test_clock (or this request again with its Idempotency-Key) shows how far it is. At most 10 years at once; only forward; one advance at a time; test mode only.',
        ),
        body: target,
        response: { 200: clock, 202: clock, ...problems },
      },
    },
    async (request, reply) => {
      const { merchantId } = tenantOf(request);
      const { by, to } = request.body;
      const begun = await testClock.beginAdvance({
        merchantId,
        by: by ?? '',
        to: to === undefined ? undefined : new Date(to),
        requestId: requestIdOf(request),
      });
      const seen = await settled(request, begun.clock);
      return reply.code(isUnderWay(seen) ? 202 : 200).send(show(seen));
    },
  );

  api.post(
    '/test_clock/reset',
    {
      schema: {
        ...says(
          'Test clock',
          'resetTestClock',
          'Back to the wall clock',
          'From now on; what has happened stays as it is. Not while the clock is being advanced. 202 when a service has not heard of it within 50 seconds; it will.',
        ),
        body: optionalBody({}),
        response: { 200: clock, 202: clock, ...problems },
      },
    },
    async (request, reply) => {
      const { clock: first } = await testClock.resetTestClock({ merchantId: tenantOf(request).merchantId });
      // The last advance counts as under way again until every service has heard of the wall's time.
      const seen = await settled(request, first);
      return reply.code(isUnderWay(seen) ? 202 : 200).send(show(seen));
    },
  );
}

/** Undefined when nobody answers just now: the advance survives that, and so does who waits for it. */
async function lookAt(testClock: Clients['testClock'], merchantId: string): Promise<TestClock | undefined> {
  try {
    return (await testClock.getTestClock({ merchantId })).clock;
  } catch (error) {
    if (error instanceof Refused && error.code === 'unavailable') return undefined;
    throw error;
  }
}

function isUnderWay(seen: TestClock | undefined): boolean {
  return seen?.advance?.status === 'running' || seen?.advance?.status === 'waiting';
}

function show(seen: TestClock | undefined): z.infer<typeof clock> {
  if (seen === undefined) throw new Error('the merchant service names no clock');
  return {
    object: 'test_clock',
    livemode: false,
    now: madeAt(seen.now),
    status: seen.status,
    advance: seen.advance === undefined ? null : showAdvance(seen.advance),
  };
}

function showAdvance(known: NonNullable<TestClock['advance']>): z.infer<typeof advance> {
  return {
    id: known.id,
    from: madeAt(known.from),
    to: madeAt(known.to),
    at: madeAt(known.at),
    status: known.status,
    fired: known.fired.map(({ at, source, kind, objectId }) => ({
      at: madeAt(at),
      source,
      kind,
      object: objectId === '' ? null : objectId,
    })),
    fired_count: known.firedCount,
    waiting_for: known.waitingFor.map(({ source, what, count }) => ({ source, what, count })),
    started_at: madeAt(known.startedAt),
    finished_at: instantOf(known.finishedAt),
  };
}
