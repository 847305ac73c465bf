import { refusals } from '@tillstream/rpc/refusals';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goods, keys, startGateway, type Answer, type Running } from './running.ts';

let gateway: Running;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());

function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body['code']], answer.text).toEqual([status, code]);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.body).toMatchObject({
    type: `/errors#${code}`,
    status,
    request_id: expect.stringMatching(/^req_/),
    trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(answer.headers['request-id']).toBe(answer.body['request_id']);
}

describe('keys', () => {
  test('none, wrong, in the query, in another scheme: 401', async () => {
    for (const authorization of [
      '',
      'Bearer ',
      'Bearer nonsense',
      `Basic ${keys.first}`,
      `Bearer ${'x'.repeat(5_000)}`,
      `Bearer ${keys.first} x`,
    ]) {
      expectProblem(await gateway.call('GET', '/v1/products', undefined, { authorization }), 401, 'invalid_api_key');
    }
    expectProblem(
      await gateway.call('GET', `/v1/products?api_key=${keys.first}`, undefined, { authorization: '' }),
      401,
      'invalid_api_key',
    );
  });

  test('a revoked key ends at once; a reader may not write', async () => {
    const authorization = `Bearer ${keys.reader}`;
    expect((await gateway.call('GET', '/v1/products', undefined, { authorization })).status).toBe(200);
    expectProblem(await gateway.call('POST', '/v1/products', goods, { authorization }), 403, 'missing_scope');
    gateway.scene.revoked.add(keys.reader);
    expectProblem(await gateway.call('GET', '/v1/products', undefined, { authorization }), 401, 'revoked_api_key');
    gateway.scene.revoked.clear();
  });

  test('every operation of the document wants a key', async () => {
    const document = await gateway.call('GET', '/openapi.json', undefined, { authorization: '' });
    const operations = Object.entries(document.body['paths'] as Record<string, Record<string, unknown>>).flatMap(
      ([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
    );
    expect(operations.length).toBeGreaterThan(25);
    for (const [method, path] of operations) {
      const answer = await gateway.call(
        method,
        path.replaceAll(/\{\w+\}/g, '1'),
        method === 'GET' || method === 'DELETE' ? undefined : {},
        { authorization: '' },
      );
      expect([method, path, answer.status]).toEqual([method, path, 401]);
    }
  });
});

describe('bodies', () => {
  test.each<[string, unknown, number, string, string | undefined]>([
    ['malformed', '{"name": "X", ', 400, 'invalid_request', undefined],
    ['empty', '', 400, 'invalid_request', undefined],
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
      400,
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

describe('queries and ids', () => {
  test.each(['limit=0', 'limit=101', 'limit=1e1', 'limit=x', 'offset=10', 'starting_after=', 'archived=perhaps'])(
    '%s is refused',
    async (query) => {
      const answer = await gateway.call('GET', `/v1/products?${query}`);
      if (query === 'limit=1e1') return expect(answer.status).toBeLessThan(500);
      return expect([query, answer.status]).toEqual([query, 422]);
    },
  );

  test('orders are found by number and by name, and only by their own merchant', async () => {
    for (const id of ['1000001', 'A0001000001'])
      expect((await gateway.call('GET', `/v1/orders/${id}`)).body).toMatchObject({
        id: 1_000_001,
        name: 'A0001000001',
      });
    for (const id of ['999999999', 'A9999999999', '-1', '1e6', 'abc', '%00', '9'.repeat(30), '..%2f'])
      expectProblem(await gateway.call('GET', `/v1/orders/${id}`), 404, 'order_not_found');
    const authorization = `Bearer ${keys.second}`;
    for (const path of ['/v1/orders/1000001', '/v1/orders/1000001/timeline'])
      expectProblem(await gateway.call('GET', path, undefined, { authorization }), 404, 'order_not_found');
    expectProblem(await gateway.call('GET', '/v1/payments/pay_00000000000000000000000000'), 404, 'payment_not_found');
    expectProblem(await gateway.call('GET', '/v1/products/999999999'), 404, 'product_not_found');
  });

  test('filters reach the order service', async () => {
    await gateway.call(
      'GET',
      '/v1/orders?status=not%20paid&customer_email=a%2Bb@example.com&starting_after=A0001000001&limit=3',
    );
    expect(gateway.scene.asked.at(-1)).toMatchObject({
      status: 'not paid',
      customerEmail: 'a+b@example.com',
      startingAfter: 1_000_001n,
      limit: 3,
    });
    expect((await gateway.call('GET', '/v1/orders?status=payed')).status).toBe(422);
  });
});

describe('answers', () => {
  test('an order has its licence codes and payments; in a list it has neither', async () => {
    const { body } = await gateway.call('GET', '/v1/orders/1000001');
    expect(body).toMatchObject({
      object: 'order',
      total: { amount: 20_000, currency: 'EUR' },
      paid_at: '2026-01-01T10:00:02.000Z',
      items: [{ id: 7, licence_codes: ['CODE-1', 'CODE-2'] }],
      payments: [{ id: 'pay_1', status: 'booked', card: { last_4: '4242' } }],
      payment: { card: { last_4: '4242' } },
      customer: { first_name: 'Marcel' },
    });
    const list = await gateway.call('GET', '/v1/orders');
    expect(list.body).toMatchObject({ object: 'list', has_more: false, data: [{ id: 1_000_001 }] });
    expect(list.text).not.toMatch(/CODE-|licence_codes|"payments"/);
  });

  test('the timeline is in the order of time, and says who did not answer', async () => {
    const { body } = await gateway.call('GET', '/v1/orders/A0001000001/timeline');
    const entries = body['entries'] as { at: string; type: string }[];
    expect(entries).toHaveLength(8);
    expect(entries.map((each) => each.at)).toEqual(entries.map((each) => each.at).toSorted());
    expect(body).toMatchObject({
      silent: ['notification'],
      awaited: expect.arrayContaining([expect.objectContaining({ source: 'order', until: null })]),
    });
  });

  test('a product names its checkout link', async () => {
    const { body } = await gateway.call('POST', '/v1/products', goods);
    expect(body).toMatchObject({
      object: 'product',
      checkout_url: `https://shop.example/basket/add/${String(body['id'])}`,
      subscription: null,
      delivery: { one_code_per: 'unit', send_mail: true },
    });
  });

  test('an endpoint shows its secrets once, and the seed’s may be brought', async () => {
    const { body } = await gateway.call('POST', '/v1/webhook_endpoints', {
      url: 'https://example.com/hooks',
      secrets: { seed: 'mine' },
      signatures: { standard: false },
    });
    expect(body).toMatchObject({
      object: 'webhook_endpoint',
      signatures: { seed: true, standard: false },
      secrets: { standard: 'whsec_c2VjcmV0' },
    });
    expect(gateway.scene.endpoints.at(-1)).toMatchObject({ seedSecret: 'mine', signStandard: false, events: [] });
  });

  test('one trace leads from the request with a body to the services', async () => {
    const before = gateway.scene.authenticated.length;
    await gateway.call('POST', '/v1/products', goods);
    const asked = gateway.scene.authenticated[before] ?? '';
    const made = gateway.scene.made.at(-1)?.traceparent ?? '';
    expect(made.split('-')[1]).toMatch(/^[0-9a-f]{32}$/);
    expect(made.split('-')[1]).toBe(asked.split('-')[1]);
  });

  test('a fault of ours is logged once and told without a word of it', async () => {
    const before = gateway.log.lines.filter((line) => line.level === 'error').length;
    const answer = await gateway.call('GET', '/v1/api_keys');
    expectProblem(answer, 500, 'internal');
    expect(answer.text).not.toContain('not played');
    expect(gateway.log.lines.filter((line) => line.level === 'error').length).toBe(before + 1);
    expect(JSON.stringify(gateway.log.lines)).not.toMatch(/till_test_first_rw|till_test_shown_once|CODE-1|marcel/);
  });
});

const send = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  gateway.call('POST', path, body, { authorization: 'Bearer x', cookie: 'a=b', ...headers });

describe('callbacks of providers', () => {
  test('arrive byte for byte, whatever they are, without a key', async () => {
    const bytes = Buffer.from([0x7b, 0x20, 0xff, 0x00, 0x0a, 0x7d]);
    for (const type of [
      'application/json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'nonsense/x; charset=latin1',
    ]) {
      const answer = await send('/provider_callbacks/sandbox', bytes, {
        'content-type': type,
        'sandbox-signature': 'good',
      });
      expect(answer.status, type).toBe(200);
      const heard = gateway.scene.callbacks.at(-1);
      expect(Buffer.from(heard?.body ?? [])).toEqual(bytes);
      expect(heard?.headers).toMatchObject({ 'sandbox-signature': 'good', 'content-type': type });
      expect(Object.keys(heard?.headers ?? {})).not.toEqual(expect.arrayContaining(['authorization']));
      expect(heard?.headers['cookie']).toBeUndefined();
    }
  });

  test('forged: 401; unknown provider: 404; too large: 413', async () => {
    expectProblem(
      await send('/provider_callbacks/sandbox', '{}', { 'content-type': 'application/json' }),
      401,
      'callback_not_authentic',
    );
    for (const name of ['nobody', 'Sandbox', '__proto__', '..%2f'])
      expectProblem(
        await send(`/provider_callbacks/${name}`, '{}', { 'content-type': 'application/json' }),
        404,
        'provider_not_found',
      );
    expectProblem(
      await send('/provider_callbacks/sandbox', 'x'.repeat(300_000), { 'sandbox-signature': 'good' }),
      413,
      'payload_too_large',
    );
  });
});

describe('what is public', () => {
  test('the document is OpenAPI 3.1 and describes what it should', async () => {
    const { body } = await gateway.call('GET', '/openapi.json', undefined, { authorization: '' });
    expect(body['openapi']).toBe('3.1.0');
    const paths = Object.keys(body['paths'] as object);
    for (const path of [
      '/v1/products',
      '/v1/products/{id}/licence_codes',
      '/v1/orders/{id}/timeline',
      '/v1/payments/{id}/withdraw',
      '/v1/webhook_endpoints/{id}/rotate_secret',
      '/v1/webhook_deliveries/{id}/resend',
      '/v1/merchant',
      '/v1/api_keys',
    ]) {
      expect(paths).toContain(path);
    }
    const schemas = Object.keys((body['components'] as { schemas: object }).schemas);
    expect(schemas).toEqual(expect.arrayContaining(['Order', 'Product', 'Payment', 'Problem', 'Money']));
    const referred = new Set(
      [...JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1]),
    );
    expect(new Set(schemas)).toEqual(referred);
    expect(JSON.stringify((body['paths'] as Record<string, object>)['/v1/products'])).toContain('Idempotency-Key');
    const ids = Object.values(body['paths'] as Record<string, Record<string, { operationId: string }>>).flatMap(
      (methods) => Object.values(methods).map((each) => each.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('the pages: documentation, errors, health', async () => {
    for (const path of ['/docs', '/docs/', '/livez', '/readyz'])
      expect([200, 302], path).toContain((await request(`${gateway.url}${path}`)).statusCode);
    const errors = await gateway.call('GET', '/errors', undefined, { authorization: '' });
    for (const code of Object.keys(refusals)) expect(errors.text).toContain(`id="${code}"`);
    expect(errors.headers['content-security-policy']).toContain("default-src 'none'");
  });
});
