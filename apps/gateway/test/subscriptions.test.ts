import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectProblem } from './problems.ts';
import { goods, keys, startGateway, type Running } from './running.ts';

let gateway: Running;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());

const plan = { type: 'AR_TRIAL', period: 'P1M', trial_period: 'P14D', renewal_price: 'current' };
const make = (subscription: unknown) => gateway.call('POST', '/v1/products', { ...goods, subscription });

describe('plans of products', () => {
  test('are taken and shown', async () => {
    expect((await make(plan)).body['subscription']).toEqual(plan);
    expect(gateway.scene.made.at(-1)?.request.subscription).toEqual({
      type: 'AR_TRIAL',
      period: 'P1M',
      trialPeriod: 'P14D',
      renewalPrice: 'current',
    });
    const short = await make({ type: 'AR', period: 'P1Y' });
    expect(short.body['subscription']).toEqual({
      type: 'AR',
      period: 'P1Y',
      trial_period: null,
      renewal_price: 'snapshot',
    });
    // What was shown can be sent back.
    expect((await make(short.body['subscription'])).status).toBe(201);
    const read = await gateway.call('GET', `/v1/products/${String(short.body['id'])}`);
    expect(read.body['subscription']).toEqual(short.body['subscription']);
    expect((await make(null)).body['subscription']).toBeNull();
  });

  test.each<[string, unknown, string, string]>([
    ['no type', { period: 'P1Y' }, 'required', 'subscription.type'],
    ['no period', { type: 'AR' }, 'required', 'subscription.period'],
    ['another type', { ...plan, type: 'ar' }, 'invalid_field', 'subscription.type'],
    ['a number', { ...plan, period: 30 }, 'invalid_field', 'subscription.period'],
    ['a very long period', { ...plan, period: `P${'9'.repeat(100)}D` }, 'too_long', 'subscription.period'],
    ['another renewal price', { ...plan, renewal_price: 'free' }, 'invalid_field', 'subscription.renewal_price'],
    ['a field too many', { ...plan, charge_offsets: [20] }, 'invalid_field', 'subscription.charge_offsets'],
    ['what the merchant service refuses', { ...plan, period: 'P5D' }, 'period_not_allowed', 'subscription.period'],
    ['a word', 'AR', 'invalid_field', 'subscription'],
  ])('%s is refused', async (_what, subscription, code, param) => {
    const answer = await make(subscription);
    expectProblem(answer, 422, code);
    expect(answer.body['param']).toBe(param);
  });

  test('a change leaves the plan alone, replaces it, or takes it away', async () => {
    const made = await make(plan);
    const path = `/v1/products/${String(made.body['id'])}`;
    const seen = () => gateway.scene.productChanges.at(-1)?.subscription;
    await gateway.call('PATCH', path, { name: 'Renamed' });
    expect(seen()).toBeUndefined();
    expect((await gateway.call('PATCH', path, { subscription: { type: 'PMR', period: 'P1Y' } })).body).toMatchObject({
      subscription: { type: 'PMR', trial_period: null },
    });
    expect(seen()).toMatchObject({ plan: { type: 'PMR', trialPeriod: '' } });
    expect((await gateway.call('PATCH', path, { subscription: null })).body['subscription']).toBeNull();
    expect(seen()).toMatchObject({ plan: undefined });
    expectProblem(
      await gateway.call('PATCH', path, { subscription: { ...plan, period: 'P5D' } }),
      422,
      'period_not_allowed',
    );
    expectProblem(await gateway.call('PATCH', path, { subscription: {} }), 422, 'required');
  });
});

describe('policies', () => {
  test('are shown and changed', async () => {
    expect((await gateway.call('GET', '/v1/merchant')).body).toMatchObject({
      policies: {
        commission_bp: 500,
        renewal_consent: 'implicit',
        renewal_consent_default: false,
        unpaid_order_reminders: ['PT12H', 'P3D'],
        payment_expiry_minutes: 45,
      },
    });
    const seen = () => gateway.scene.shopChanges.at(-1);
    const change = (policies: unknown) => gateway.call('PATCH', '/v1/merchant', { policies });
    await change({ renewal_consent: 'switch', renewal_consent_default: true, unpaid_order_reminders: [] });
    expect(seen()).toMatchObject({
      renewalConsent: 'switch',
      renewalConsentDefault: true,
      unpaidOrderReminders: { after: [] },
    });
    await change({ commission_bp: 1 });
    expect(seen()).toMatchObject({ commissionBp: 1, unpaidOrderReminders: undefined });
    expect(seen()?.renewalConsent).toBeUndefined();
    expect(seen()?.paymentExpiryMinutes).toBeUndefined();
    await change({ payment_expiry_minutes: 1_440 });
    expect(seen()).toMatchObject({ paymentExpiryMinutes: 1_440 });
  });

  test.each<[unknown, string]>([
    [{ renewal_consent: 'never' }, 'policies.renewal_consent'],
    [{ renewal_consent_default: 'yes' }, 'policies.renewal_consent_default'],
    [{ unpaid_order_reminders: 'P1D' }, 'policies.unpaid_order_reminders'],
    [{ unpaid_order_reminders: Array.from({ length: 6 }, () => 'P1D') }, 'policies.unpaid_order_reminders'],
    [{ unpaid_order_reminders: [1] }, 'policies.unpaid_order_reminders[0]'],
    [{ payment_expiry_minutes: 4 }, 'policies.payment_expiry_minutes'],
    [{ payment_expiry_minutes: 1_441 }, 'policies.payment_expiry_minutes'],
    [{ payment_expiry_minutes: 30.5 }, 'policies.payment_expiry_minutes'],
    [{ renewals: true }, 'policies.renewals'],
  ])('%j is refused', async (policies, param) => {
    const answer = await gateway.call('PATCH', '/v1/merchant', { policies });
    expectProblem(answer, 422, 'invalid_field');
    expect(answer.body['param']).toBe(param);
  });
});

describe('subscriptions', () => {
  const read = (id: string, headers = {}) => gateway.call('GET', `/v1/subscriptions/${id}`, undefined, headers);
  const post = (path: string, body?: unknown, headers = {}) =>
    gateway.call('POST', `/v1/subscriptions/${path}`, body, headers);

  test('are found by both of their ids', async () => {
    for (const id of ['sub_1000001_7', '1000001_7'])
      expect((await read(id)).body).toEqual({
        id: 'sub_1000001_7',
        object: 'subscription',
        livemode: false,
        subscription_id: '1000001_7',
        parent_order: 1_000_001,
        parent_item: 7,
        product: '100001',
        product_name: 'Demo',
        quantity: 2,
        type: 'AR',
        status: 'active',
        activity: true,
        period: 'P1Y',
        trial_period: null,
        term: 1,
        is_in_trial: false,
        started_at: '2026-01-01T10:00:02.000Z',
        expires_at: '2027-01-01T22:59:00.000Z',
        next_charge_at: '2026-12-12T22:59:00.000Z',
        renewal_amount: { amount: 20_000, currency: 'EUR' },
        renewal_price: 'snapshot',
        open_order: null,
        last_order: 1_000_001,
        last_item: 7,
        cancelled_at: null,
        cancelled_by: null,
        can_restore: false,
        time_zone: 'Europe/Prague',
        created_at: '2026-01-01T10:00:02.000Z',
      });
  });

  test('what is foreign, unknown or no id is not found, whatever is wanted of it', async () => {
    const theirs = { authorization: `Bearer ${keys.second}` };
    const before = gateway.scene.time.changes.length;
    for (const [id, headers] of [
      ['sub_1000001_7', theirs],
      ['sub_1000001_9', {}],
      ['nonsense', {}],
      ['1000001', {}],
      ['0_0', {}],
      ['sub_1000001_7;drop', {}],
    ] as const) {
      expectProblem(await read(id, headers), 404, 'subscription_not_found');
      for (const verb of ['cancel', 'restore'])
        expectProblem(await post(`${id}/${verb}`, undefined, headers), 404, 'subscription_not_found');
      expectProblem(await post('modify_activity', { id, activity: false }, headers), 404, 'subscription_not_found');
    }
    expect(gateway.scene.time.changes.length).toBe(before);
    expectProblem(await gateway.call('GET', '/v1/subscriptions/modify_activity'), 404, 'subscription_not_found');
  });

  test('are listed by status and order, in pages', async () => {
    const answer = await gateway.call(
      'GET',
      '/v1/subscriptions?status=not%20paid&order=A0001000001&limit=1&starting_after=sub_1000001_9',
    );
    expect(answer.body).toMatchObject({ object: 'list', has_more: true, data: [{ id: 'sub_1000001_7' }] });
    expect(gateway.scene.time.listed.at(-1)).toMatchObject({
      status: 'not paid',
      orderId: 1_000_001n,
      limit: 1,
      startingAfter: '1000001_9',
      endingBefore: '',
    });
    await gateway.call('GET', '/v1/subscriptions?ending_before=1000001_9');
    expect(gateway.scene.time.listed.at(-1)).toMatchObject({ status: '', orderId: 0n, endingBefore: '1000001_9' });
    for (const query of ['status=paused', 'limit=0', 'limit=101', 'activity=true'])
      expect([query, (await gateway.call('GET', `/v1/subscriptions?${query}`)).status]).toEqual([query, 422]);
    expectProblem(await gateway.call('GET', '/v1/subscriptions?order=x'), 404, 'order_not_found');
    expectProblem(await gateway.call('GET', '/v1/subscriptions?starting_after=x'), 404, 'subscription_not_found');
  });

  test('are cancelled and restored; what is so already stays so', async () => {
    const seen = () => gateway.scene.time.changes.at(-1);
    const cancelled = await post('sub_1000001_7/cancel', { suppress_customer_notification: true });
    expect([cancelled.status, cancelled.body]).toEqual([
      200,
      expect.objectContaining({ status: 'cancelled', activity: false, cancelled_by: 'merchant', can_restore: true }),
    ]);
    expect(cancelled.body).toMatchObject({ next_charge_at: null, cancelled_at: '2026-02-01T00:00:00.000Z' });
    expect(seen()).toMatchObject({ subscriptionId: '1000001_7', by: 'merchant', suppressCustomerNotification: true });
    const again = await post('sub_1000001_7/cancel', undefined, { 'content-type': 'application/json' });
    expect([again.status, again.body]).toEqual([200, cancelled.body]);
    expect(seen()).toMatchObject({ suppressCustomerNotification: false });
    const restored = await post('1000001_7/restore', {});
    expect(restored.body).toMatchObject({ status: 'active', activity: true, cancelled_by: null });
    const stillSo = await post('1000001_7/restore');
    expect([stillSo.status, stillSo.body]).toEqual([200, restored.body]);
  });

  test('one that is paid by hand is not restored', async () => {
    expectProblem(await post('sub_1000001_8/restore'), 409, 'restore_not_supported');
  });

  test('modify_activity is the same in older words', async () => {
    const wish = { id: '1000001_7', suppress_customer_notification: true };
    for (const activity of [false, false, true, true]) {
      const answer = await post('modify_activity', { ...wish, activity });
      expect([answer.status, answer.body['activity'], answer.body['id']]).toEqual([200, activity, 'sub_1000001_7']);
    }
  });

  test.each<[string, unknown, string | undefined]>([
    ['sub_1000001_7/cancel', { suppress_customer_notification: 'yes' }, 'suppress_customer_notification'],
    ['sub_1000001_7/cancel', { reason: 'x' }, 'reason'],
    ['sub_1000001_7/restore', [], 'body'],
    ['modify_activity', { activity: true }, 'id'],
    ['modify_activity', { id: '1000001_7' }, 'activity'],
    ['modify_activity', { id: '1000001_7', activity: 0 }, 'activity'],
    ['modify_activity', { id: 1_000_001, activity: true }, 'id'],
    ['modify_activity', undefined, 'body'],
  ])('%s %j is refused', async (path, body, param) => {
    const before = gateway.scene.time.changes.length;
    const answer = await post(path, body);
    expect([answer.status, answer.body['param']]).toEqual([422, param]);
    expect(gateway.scene.time.changes.length).toBe(before);
  });

  test('a reader may look and change nothing', async () => {
    const headers = { authorization: `Bearer ${keys.reader}` };
    expect((await read('1000001_7', headers)).status).toBe(200);
    expectProblem(await post('1000001_7/cancel', {}, headers), 403, 'missing_scope');
  });
});
