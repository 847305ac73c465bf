import { describe, expect, test } from 'vitest';
import { makeStandardSecret, signatureHeaders, signSeed, signStandard } from './signatures.ts';

const bodyOf = (event: string, orderId: number) =>
  JSON.stringify({
    event,
    order_id: orderId,
    create_date: '2021-08-13T09:16:35+03:00',
    currency: 'EUR',
    customer: { email: 'customer@gmail.com' },
    product: { amount: '100.00' },
    payment: { payment_method: 'CreditCard' },
  });

describe('the signature of the seed', () => {
  // The first is the seed's own example (KAT-1); the others were computed with sha512sum by the same rule.
  test.each([
    [
      'order.created',
      5555555,
      '1d0e480e14922b2e330216b2d34b3b9998267067143cf9ef7caaf3637de0307f207b7c6b1cd94ece313366baa24014c488796eef3dabbe8e60e7d1e72c73918d',
    ],
    [
      'order.created',
      6666666,
      '94549d4edf73a0e4513ec0bbdcef2141ecef2821a0debd00ee31b5783aa713e02efbba5aaf4cd60f6b82fa5e1dd88ed2b2e1621fd554687576c3f999ca421afa',
    ],
    [
      'order.payment.succeeded',
      5555555,
      'b8cd39ce6539dc1c25da3d7ea54295d8e30d17fdac14622c24c1f395247bbabf1a8ef6173318049efda201454d4388fb594698073d7f9316ee68c1abb7a9d81f',
    ],
    [
      'order.payment.failed',
      5555555,
      'ee9ccac0ceb624b85042b401b3fe85b89c1d0643acd00e337155ffa6f518acb0a0dce499b7ad839de73f40f939a05d271f526fba64b22b5ffcc5690e1e6a2f83',
    ],
    [
      'product.delivered',
      5555555,
      '73c5ad00de87b94205bd4d79bb7f78fff726431db50b190011b38fd9844968b53971560f38fef9d8d14859763e5929bd44c360dc6210fbfbcf1dbbf5b64a7d53',
    ],
    [
      'product.returned',
      6666666,
      '350b79a753ec5c63e0859438265e11e7ccea3ebfee7e8b96a60191f393c48e2bbcc6252bc6776626eae1e91d8558c1ac79f9e366c63a03b1c97b643b3bf6dd89',
    ],
    [
      'subscription.cancelled',
      5555555,
      'e48469392479076ae3442f30b99c4de6eb68a34442c5bc4a3cbe12bebc44751eab1a16086d90458d0ac7aa7dcc5166de2aef350a07c86f58f501bf08d364a8a3',
    ],
    [
      'subscription.restored',
      5555555,
      '9719910a708e8542121359962d66c3e0773d3bc45a92b9e07f17bf32bb4f1cc9979f04e4deda351841fb26bdcbfd89a463b60558b130268327847c0c0f1bc5a9',
    ],
  ])('%s of %d', (event, orderId, expected) => expect(signSeed('secret_key', bodyOf(event, orderId))).toBe(expected));

  test('beyond ASCII', () => {
    const body = JSON.stringify({
      event: 'order.payment.succeeded',
      order_id: 7,
      create_date: '2026-11-20T08:00:00+00:00',
      currency: 'CZK',
      customer: { email: 'jürgen@exämple.de' },
      payment: { payment_method: 'BankTransfer' },
    });
    expect(signSeed('ключ', body)).toBe(
      '6a865f019e74a2012861782bbfd9e88be337cc34c806f4a0ff9c01c0d5d0b8fc16a8e5a3ddf9ced2b0173e7a7b17fcb2306b1d0814e60d61bebd6c1257043228',
    );
  });

  test('each of the six values and the secret counts; the amount does not, which is its weakness', () => {
    const base = signSeed('secret_key', bodyOf('order.created', 1));
    const changes = [
      ['"order.created"', '"order.paid"'],
      [':1,', ':2,'],
      ['09:16:35', '09:16:36'],
      ['CreditCard', 'DebitCard'],
      ['EUR', 'USD'],
      ['customer@', 'other@'],
    ] as const;
    for (const [from, to] of changes)
      expect(signSeed('secret_key', bodyOf('order.created', 1).replace(from, to))).not.toBe(base);
    expect(signSeed('secret_kez', bodyOf('order.created', 1))).not.toBe(base);
    expect(signSeed('secret_key', bodyOf('order.created', 1).replace('100.00', '1.00'))).toBe(base);
  });
});

describe('Standard Webhooks', () => {
  test('vector of the JavaScript, Python, Go and Java libraries', () => {
    expect(
      signStandard(
        'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        'msg_p5jXN8AQM9LWM0D4loKWxJek',
        1614265330,
        Buffer.from('{"test": 2432232314}'),
      ),
    ).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('vector of the Rust library', () => {
    expect(
      signStandard(
        'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
        'msg_27UH4WbU6Z5A5EzD8u03UvzRbpk',
        1649367553,
        Buffer.from('{"email":"test@example.com","username":"test_user"}'),
      ),
    ).toBe('v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=');
  });

  test('a secret without a key signs nothing', () => {
    expect(() => signStandard('whsec_', 'evt_1', 1, Buffer.from('{}'))).toThrow(/without a key/);
  });
});

describe('headers', () => {
  const signing = {
    id: 'evt_1',
    timestampS: 1,
    body: Buffer.from(bodyOf('order.created', 1)),
    secrets: { seed: 'new secret', standard: makeStandardSecret() },
    oldStandard: undefined,
    isSeed: true,
    isStandard: true,
  };

  test('after a rotation both secrets sign, the new one first, and the seed header is of the new one', () => {
    const oldStandard = makeStandardSecret();
    const headers = signatureHeaders({ ...signing, oldStandard });
    const [first, second, ...more] = (headers['webhook-signature'] ?? '').split(' ');
    expect(first).toBe(signStandard(signing.secrets.standard, 'evt_1', 1, signing.body));
    expect(second).toBe(signStandard(oldStandard, 'evt_1', 1, signing.body));
    expect(more).toEqual([]);
    expect(headers['signature']).toBe(signSeed('new secret', signing.body.toString()));
  });

  test('each can be switched off', () => {
    expect(Object.keys(signatureHeaders({ ...signing, isSeed: false }))).toEqual([
      'webhook-id',
      'webhook-timestamp',
      'webhook-signature',
    ]);
    expect(Object.keys(signatureHeaders({ ...signing, isStandard: false }))).toEqual([
      'webhook-id',
      'webhook-timestamp',
      'signature',
    ]);
  });
});
