import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectProblem } from './problems.ts';
import { goods, startGateway, type Running } from './running.ts';

let gateway: Running;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());

describe('bodies', () => {
  test.each<[string, unknown, number, string, string | undefined]>([
    ['malformed', '{"name": "X", ', 400, 'invalid_request', undefined],
    ['empty', '', 422, 'invalid_field', 'body'],
    ['prototype', '{"name":"X","__proto__":{"paid":true}}', 400, 'invalid_request', undefined],
    ['a list', [], 422, 'invalid_field', 'body'],
    ['nothing in it', {}, 422, 'required', 'name'],
    ['wrong type', { ...goods, name: 7 }, 422, 'invalid_field', 'name'],
    [
      'amount as text',
      { ...goods, prices: [{ amount: '100', currency: 'EUR' }] },
      422,
      'invalid_field',
      'prices[0].amount',
    ],
    ['fraction', { ...goods, prices: [{ amount: 100.5, currency: 'EUR' }] }, 422, 'invalid_field', 'prices[0].amount'],
    ['negative', { ...goods, prices: [{ amount: -1, currency: 'EUR' }] }, 422, 'invalid_field', 'prices[0].amount'],
    [
      'beyond 2^53',
      '{"name":"X","prices":[{"amount":9007199254740993,"currency":"EUR"}]}',
      422,
      'invalid_field',
      'prices[0].amount',
    ],
    [
      'small letters',
      { ...goods, prices: [{ amount: 100, currency: 'eur' }] },
      422,
      'invalid_field',
      'prices[0].currency',
    ],
    [
      'no such currency',
      { ...goods, prices: [{ amount: 100, currency: 'XQX' }] },
      422,
      'invalid_field',
      'prices[0].currency',
    ],
    ['a field too many', { ...goods, paid: true }, 422, 'invalid_field', 'paid'],
    [
      'a field too many, deeper',
      { ...goods, delivery: { method: 'pool', free: true } },
      422,
      'invalid_field',
      'delivery.free',
    ],
    ['too long', { ...goods, name: 'n'.repeat(10_000) }, 422, 'too_long', 'name'],
    [
      'too much metadata',
      { ...goods, metadata: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, 'v'])) },
      422,
      'invalid_field',
      'metadata',
    ],
    [
      'a card number',
      { ...goods, metadata: { note: '4242 4242 4242 4242' } },
      422,
      'card_number_refused',
      'metadata.note',
    ],
    ['too large', { ...goods, name: 'x'.repeat(10_000_000) }, 413, 'payload_too_large', undefined],
  ])('%s', async (_what, body, status, code, param) => {
    const before = gateway.scene.made.length;
    const answer = await gateway.call('POST', '/v1/products', body, { 'content-type': 'application/json' });
    expectProblem(answer, status, code);
    expect(answer.body['param']).toBe(param);
    expect(gateway.scene.made.length).toBe(before);
  });

  test('ten thousand levels, another type, a body for a GET: none is our fault', async () => {
    for (const depth of [10_000, 125_000]) {
      const answer = await gateway.call('POST', '/v1/products', '['.repeat(depth) + ']'.repeat(depth), {
        'content-type': 'application/json',
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status, answer.text).toBeLessThan(500);
    }
    expectProblem(
      await gateway.call('POST', '/v1/products', 'name=X', { 'content-type': 'application/x-www-form-urlencoded' }),
      400,
      'invalid_request',
    );
    expect((await gateway.call('GET', '/v1/nothing')).status).toBe(404);
    expectProblem(await gateway.call('PUT', '/v1/products', {}), 404, 'route_not_found');
  });

  test('where no body is needed, none or an empty one will do, whatever type it claims to have', async () => {
    for (const headers of [{}, { 'content-type': 'application/json' }])
      for (const [path, answered] of [
        ['rotate_secret', { id: 'we_1', secrets: { seed: 'a made secret' } }],
        ['enable', { id: 'we_1', status: 'active' }],
      ] as const) {
        const answer = await gateway.call('POST', `/v1/webhook_endpoints/we_1/${path}`, undefined, headers);
        expect(answer.status, answer.text).toBe(200);
        expect(answer.body).toMatchObject(answered);
      }
    const own = await gateway.call('POST', '/v1/webhook_endpoints/we_1/rotate_secret', { secrets: { seed: 'my own' } });
    expect(own.body).toMatchObject({ secrets: { seed: 'my own' } });
    expectProblem(
      await gateway.call('POST', '/v1/webhook_endpoints/we_1/rotate_secret', { secret: 'x' }),
      422,
      'invalid_field',
    );
  });

  test('texts that cannot be kept are refused: NUL, half a character', async () => {
    for (const [body, param] of [
      ['{"name":"a\\u0000b"}', 'name'],
      ['{"name":"\\ud800"}', 'name'],
      ['{"metadata":{"a\\u0000":"x"}}', 'metadata'],
    ] as const) {
      const answer = await gateway.call('POST', '/v1/products', body, { 'content-type': 'application/json' });
      expectProblem(answer, 422, 'invalid_field');
      expect(answer.body['param']).toBe(param);
    }
    expectProblem(await gateway.call('GET', '/v1/orders?external_id=a%00b'), 422, 'invalid_field');
    expect(
      (
        await gateway.call('POST', '/v1/products/1/licence_codes', '{"codes":["a\\u0000"]}', {
          'content-type': 'application/json',
        })
      ).body['param'],
    ).toBe('codes[0]');
  });

  test('requests that are none are answered in the same form', async () => {
    const long = await gateway.call('GET', `/v1/products/${'x'.repeat(300)}`);
    expect([long.status, long.body['code']]).toEqual([404, 'route_not_found']);
    const unreadable = await gateway.call('GET', '/v1/products/%zz');
    expect([unreadable.status, unreadable.body['code']]).toEqual([400, 'invalid_request']);
    const endless = await gateway.call('GET', '/v1/products', undefined, { 'x-long': 'x'.repeat(40_000) });
    expect([endless.status, endless.body['code'], endless.headers['content-type']]).toEqual([
      431,
      'invalid_request',
      'application/problem+json',
    ]);
  });

  test('all wrong fields are named at once', async () => {
    const answer = await gateway.call('POST', '/v1/products', {
      prices: [{ amount: 0, currency: 'EUR' }],
      sku: 's'.repeat(200),
    });
    const errors = answer.body['errors'] as { param: string }[];
    expect(errors.map((error) => error.param).toSorted()).toEqual(['name', 'prices[0].amount', 'sku']);
  });

  test('a licence code may look like a card number; ten thousand go in one call, and one more does not', async () => {
    const made = await gateway.call('POST', '/v1/products', goods);
    const path = `/v1/products/${String(made.body['id'])}/licence_codes`;
    expect((await gateway.call('POST', path, { codes: ['4242424242424242', '4242424242424242'] })).body).toMatchObject({
      added: 1,
      duplicates: 1,
    });
    const many = Array.from({ length: 10_000 }, (_, at) => `${at}-`.padEnd(400, 'x'));
    expect((await gateway.call('POST', path, { codes: many })).body).toMatchObject({ added: 10_000 });
    expectProblem(
      await gateway.call('POST', path, { codes: Array.from({ length: 10_001 }, (_, at) => `${at}`) }),
      422,
      'invalid_field',
    );
    for (const codes of [[], [''], 'A', [7]]) expect((await gateway.call('POST', path, { codes })).status).toBe(422);
    expect((await gateway.call('GET', `${path}/summary`)).body).toMatchObject({
      available: 3,
      issued: 1,
      low_water_mark: 0,
    });
  });
});
