import { refusals } from '@tillstream/rpc/refusals';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectProblem } from './problems.ts';
import { goods, keys, startGateway, type Running } from './running.ts';

let gateway: Running;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());

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
      auto_renew: true,
      renews_subscription: null,
      items: [
        {
          id: 7,
          licence_codes: ['CODE-1', 'CODE-2'],
          subscription_terms: { type: 'AR', trial_period: null, renewal_amount: { amount: 9_000, currency: 'EUR' } },
          subscription: {
            id: 'sub_1000001_7',
            subscription_id: '1000001_7',
            status: 'active',
            previous_order: null,
            expires_at: '2027-01-01T22:59:00.000Z',
          },
        },
      ],
      payments: [
        {
          id: 'pay_1',
          status: 'booked',
          card: { last_4: '4242' },
          is_off_session: true,
          instrument: '018f0000-0000-7000-8000-0000000000aa',
        },
      ],
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
    expect(entries).toHaveLength(10);
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

  test('arrive with the account that their address names', async () => {
    const account = 'pa_01h455vb4pex5vsknk084sn02q';
    expect((await send(`/provider_callbacks/${account}`, '{}', { 'sandbox-signature': 'good' })).status).toBe(200);
    expect(gateway.scene.callbacks.at(-1)).toMatchObject({ provider: account });
  });

  test('forged: 401; unknown account or provider: 404; too large: 413', async () => {
    expectProblem(
      await send('/provider_callbacks/sandbox', '{}', { 'content-type': 'application/json' }),
      401,
      'callback_not_authentic',
    );
    for (const name of ['nobody', 'pa_01h455vb4pex5vsknk084sn02z', 'Sandbox', '__proto__', '..%2f'])
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
      '/v1/subscriptions/{id}/restore',
      '/v1/subscriptions/modify_activity',
      '/v1/test_clock/advance',
      '/v1/api_keys',
    ]) {
      expect(paths).toContain(path);
    }
    const schemas = Object.keys((body['components'] as { schemas: object }).schemas);
    expect(schemas).toEqual(
      expect.arrayContaining(['Order', 'Product', 'Payment', 'Problem', 'Money', 'Subscription', 'TestClock']),
    );
    const referred = new Set(
      [...JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1]),
    );
    expect(new Set(schemas)).toEqual(referred);
    expect(JSON.stringify((body['paths'] as Record<string, object>)['/v1/products'])).toContain('Idempotency-Key');
    for (const [path, isRequired] of [
      ['/v1/subscriptions/{id}/cancel', false],
      ['/v1/webhook_endpoints/{id}/rotate_secret', false],
      ['/v1/test_clock/advance', true],
    ] as const)
      expect((body['paths'] as Record<string, object>)[path]).toMatchObject({
        post: { requestBody: { required: isRequired } },
      });
    expect(JSON.stringify(body)).not.toContain('x-body-is-optional');
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
