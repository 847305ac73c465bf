import { refusals, Refused } from '@tillstream/rpc/refusals';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chooseLocale } from '../src/words/locale.ts';
import { get, orderId, OrderStandIn, post, provider, send, serve, token, type Served } from './stand-in.ts';

let served: Served;
const at = (page: string) => `${served.url}/${page}/${orderId}/${token}`;
const { words } = chooseLocale(['en']);
const form = { payment_method: 'CreditCard' };

const withoutNonce = (text: string) => text.replaceAll(/nonce="[^"]*"/g, '');
const strip = (text: string) => withoutNonce(text).replaceAll(/href="\/[^"]*\?locale=/g, '');

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.stop());
beforeEach(() => {
  const fresh = new OrderStandIn();
  Object.assign(served.order, { order: fresh.order, codes: [], redirectUrl: fresh.redirectUrl });
  served.order.calls.length = 0;
  served.order.refuse.clear();
});

describe('the payment page', () => {
  test('says what is to be paid and sends the customer to the provider', async () => {
    const got = await get(at('pay'));
    expect(got.text).toContain('Pay for order A0001000001');
    expect(got.text).toMatch(/<button class="primary"[^>]*>Pay €100\.00 by card<\/button>/);
    const gone = await post(at('pay'), form);
    expect([gone.status, gone.location]).toEqual([303, `${provider}/pay/1`]);
    expect(served.order.requests('beginPayment')).toEqual([{ orderId, token, paymentMethod: 'CreditCard' }]);
  });

  test.each([
    'https://evil.test/pay',
    'http://provider.test:4005/x',
    'javascript:alert(1)',
    '//provider.test:4004/',
    'http://provider.test:4004@evil.test/',
  ])('sends nobody to %s', async (url) => {
    served.order.redirectUrl = url;
    const got = await post(at('pay'), form);
    expect([got.status, got.location]).toEqual([500, '']);
    expect(got.text).toMatch(/Reference: <code>[\w-]+<\/code>/);
  });

  test('waits by itself while the provider has not answered, and begins nothing when the payment has ended', async () => {
    served.order.redirectUrl = '';
    const gone = await post(at('pay'), form);
    expect(gone.location).toBe(`/pay/${orderId}/${token}/go`);
    served.order.pay('created');
    const waiting = await get(`${served.url}${gone.location}`);
    expect(waiting.text).toContain(words.pay.waiting.title);
    expect(waiting.text).toContain('<meta http-equiv="refresh" content="2"/></noscript>');
    served.order.refuse.set('beginPayment', new Refused('unavailable'));
    expect((await get(`${served.url}${gone.location}`)).text).toContain(words.pay.waiting.title);
    served.order.redirectUrl = `${provider}/pay/2`;
    expect((await get(`${served.url}${gone.location}`)).location).toBe(`${provider}/pay/2`);
    const asked = served.order.requests('beginPayment').length;
    served.order.pay('failed', { reason: 'card_declined' });
    expect((await get(`${served.url}${gone.location}`)).location).toBe(`/pay/${orderId}/${token}`);
    expect(served.order.requests('beginPayment')).toHaveLength(asked);
  });

  test('after a failure says why, whether money moved, and offers the same order again, in both languages', async () => {
    for (const language of ['en', 'de']) {
      const { reasons, moneyMoved } = chooseLocale([language]).words;
      for (const reason of [
        'card_declined',
        'insufficient_funds',
        'authentication_failed',
        'expired_card',
        'provider_error',
      ] as const) {
        served.order.pay('failed', { reason, errorCode: '05', errorDescription: 'DO NOT HONOR' });
        const got = await get(`${at('pay')}?locale=${language}`);
        expect(got.text).toContain(reasons[reason]);
        expect(got.text).toContain(moneyMoved.no);
        expect(got.text).toContain('name="payment_method"');
        expect(got.text).not.toContain('DO NOT HONOR');
      }
      served.order.pay('failed', { reason: 'toString' });
      expect((await get(`${at('pay')}?locale=${language}`)).text).toContain(reasons.other);
    }
  });

  test('nobody can pay a second time: paid leads to the thanks, deleted says so, unknown asks to wait', async () => {
    served.order.pay('booked', { moneyMoved: 'yes' });
    expect((await get(at('pay'))).location).toBe(`/thanks/${orderId}/${token}`);
    served.order.order = { ...served.order.order, status: 'paid' };
    expect((await get(at('pay'))).location).toBe(`/thanks/${orderId}/${token}`);
    served.order.order = { ...served.order.order, status: 'deleted' };
    const deleted = await get(at('pay'));
    expect(deleted.status).toBe(410);
    expect(deleted.text).toContain(words.thanks.deleted.title);
    served.order.order = { ...served.order.order, status: 'not paid' };
    served.order.pay('processing_expired', { moneyMoved: 'unknown' });
    const unknown = await get(at('pay'));
    expect(unknown.text).toContain('Please do not pay again');
    expect(unknown.text).not.toContain('name="payment_method"');
  });

  test.each([
    ['attempt_unresolved', words.pay.unresolved.title],
    ['payment_method_not_supported', words.pay.methodGone],
    ['unavailable', words.pay.tryAgain],
  ] as const)('says what %s means', async (code, text) => {
    served.order.refuse.set('beginPayment', new Refused(code));
    const got = await post(at('pay'), form);
    expect(got.status).toBe(refusals[code].http);
    expect(got.text).toContain(text);
  });

  test('an order that was paid meanwhile leads to the thanks; another site’s form is refused', async () => {
    served.order.refuse.set('beginPayment', new Refused('order_already_paid'));
    expect((await post(at('pay'), form)).location).toBe(`/thanks/${orderId}/${token}`);
    expect((await post(at('pay'), form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(served.order.requests('beginPayment')).toHaveLength(1);
  });
});

describe('the thank-you page', () => {
  test.each([
    ['created', 'no', 'unfinished'],
    ['processing', 'unknown', 'checking'],
    ['seen', 'unknown', 'unknown'],
    ['processing_expired', 'unknown', 'unknown'],
    ['booked', 'yes', 'confirming'],
    ['failed', 'no', 'failed'],
    ['expired', 'no', 'expired'],
    ['withdrawn', 'no', 'withdrawn'],
  ] as const)(
    'tells a %s payment (money moved: %s) as the state on the server, in both languages',
    async (status, moneyMoved, phase) => {
      served.order.pay(status, { moneyMoved });
      for (const language of ['en', 'de']) {
        const got = await get(`${at('thanks')}?locale=${language}`);
        expect(got.status).toBe(200);
        expect(got.text).toContain(`<h1>${chooseLocale([language]).words.thanks[phase].title}</h1>`);
      }
      expect(served.order.requests('openOrder')[0]).toEqual({ orderId, token, refresh: true, withCodes: true });
      expect(JSON.parse((await get(`${at('thanks')}/status`)).text)).toEqual({ phase });
    },
  );

  test('believes no query', async () => {
    const honest = await get(at('thanks'));
    const forged = await get(`${at('thanks')}?status=paid&paid=1&payment_status=booked&phase=delivered&order=2`);
    expect(withoutNonce(forged.text)).toBe(withoutNonce(honest.text));
    expect(forged.text).toContain(words.thanks.unpaid.title);
  });

  test('waits by itself where something is still to come, with a script and without', async () => {
    served.order.order = { ...served.order.order, status: 'paid' };
    const open = await get(at('thanks'));
    expect(open.text).toContain(`data-phase="paid" data-poll="/thanks/${orderId}/${token}/status"`);
    expect(open.text).toContain('<noscript><meta http-equiv="refresh"');
    served.order.order = { ...served.order.order, fulfilmentStatus: 'delivered' };
    served.order.codes = [{ itemId: 7n, codes: ['QUILL-<1>'] }];
    const done = await get(at('thanks'));
    expect(done.text).not.toContain('data-poll');
    expect(done.text).not.toContain('http-equiv="refresh"');
    expect(done.text).toContain('<code class="code" translate="no">QUILL-&lt;1&gt;</code>');
    expect(done.text).toContain('zoe@example.com');
    expect((await get(`${at('thanks')}/status`)).text).not.toContain('QUILL');
  });
});

describe('the order page', () => {
  test('shows state, items, licences, payment and whom to ask', async () => {
    served.order.pay('booked', { moneyMoved: 'yes', cardType: 'Visa', cardLast4: '4242' });
    const paidAt = new Date('2026-11-21T09:16:00Z');
    served.order.order = { ...served.order.order, status: 'paid', fulfilmentStatus: 'delivered', paidAt };
    served.order.codes = [{ itemId: 7n, codes: ['AAAA-1', 'AAAA-2'] }];
    const got = await get(at('order/status'));
    expect(got.status).toBe(200);
    for (const text of [
      'Order A0001000001',
      'Quill Editor',
      'AAAA-1',
      'AAAA-2',
      'Visa ending in 4242',
      '2 licence codes',
      'help@quill.example',
    ]) {
      expect(got.text).toContain(text);
    }
    // In the shop's zone, which is named.
    expect(got.text).toMatch(/November 21, 2026 at 10:16.AM GMT\+1/);
    const german = await get(`${at('order/status')}?locale=de`);
    expect(german.text).toMatch(/21\. November 2026 um 10:16 MEZ/);
    expect(german.text).toMatch(/100,00.€/);
  });

  test('says where the licence is when it is not on the page', async () => {
    expect((await get(at('order/status'))).text).toContain(words.order.licenceAfterPayment);
    served.order.order = { ...served.order.order, status: 'paid' };
    expect((await get(at('order/status'))).text).toContain(words.order.licencePreparing);
    const items = served.order.order.items.map((item) => ({ ...item, deliveredAt: new Date() }));
    served.order.order = { ...served.order.order, items, fulfilmentStatus: 'delivered' };
    expect((await get(at('order/status'))).text).toContain(words.order.licenceByMail);
  });
});

describe('strangers', () => {
  test.each(['pay', 'thanks', 'order/status'])(
    'a wrong token finds nothing at /%s, and looks like any other page that is not there',
    async (page) => {
      const nowhere = await get(`${served.url}/nowhere`);
      for (const wrong of [
        '0'.repeat(32),
        token.slice(0, 31),
        `${token}0`,
        '..%2f',
        token.toUpperCase(),
        '%00',
        "'%20or%201=1--",
      ]) {
        const got = await get(`${served.url}/${page}/${orderId}/${wrong}`);
        expect(got.status).toBe(404);
        expect(strip(got.text)).toBe(strip(nowhere.text));
      }
      for (const id of ['1', '-1', '1e6', '9'.repeat(40), 'A0001000001']) {
        expect((await get(`${served.url}/${page}/${id}/${token}`)).status).toBe(404);
      }
    },
  );

  test('a method that a path does not have is refused with the ones it has', async () => {
    for (const [method, path, allow] of [
      ['DELETE', `/checkout/${token}`, 'GET, POST'],
      ['PUT', `/pay/${orderId}/${token}`, 'GET, POST'],
      ['POST', `/thanks/${orderId}/${token}`, 'GET'],
      ['POST', '/basket/add/1', 'GET'],
      ['HEAD', '/basket/add/1', 'GET'],
    ] as const) {
      const got = await send(
        `${served.url}${path}`,
        method,
        { 'content-type': 'application/json' },
        method === 'HEAD' ? undefined : '{}',
      );
      expect([got.status, got.headers['allow']]).toEqual([405, allow]);
    }
    expect(served.order.calls).toEqual([]);
  });

  test('a fault shows a reference, and neither page nor log tells what must not be told', async () => {
    served.order.refuse.set('openOrder', new Error(`secret ${token}`));
    const got = await get(at('order/status'));
    expect(got.status).toBe(500);
    const reference = /Reference: <code>([\w-]+)<\/code>/.exec(got.text)?.[1] ?? 'none';
    expect(
      served.log.lines.some((line) => line.level === 'error' && JSON.stringify(line.fields).includes(reference)),
    ).toBe(true);
    expect(got.text).not.toContain('secret');
    served.order.refuse.set('openOrder', new Refused('unavailable'));
    const away = await get(at('order/status'));
    expect(away.status).toBe(503);
    expect(away.text).toContain(`href="/order/status/${orderId}/${token}"`);
  });
});

test('the files and the signs of life', async () => {
  const { text } = await get(at('pay'));
  for (const path of text.match(/\/assets\/checkout-[0-9a-f]{12}\.(css|js)/g) ?? []) {
    const plain = await get(`${served.url}${path}`);
    expect(plain.status).toBe(200);
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const packed = await get(`${served.url}${path}`, { 'accept-encoding': 'gzip, br' });
    expect(packed.headers['content-encoding']).toBe('br');
    expect(packed.text.length).toBeLessThan(plain.text.length);
  }
  expect((await get(`${served.url}/robots.txt`)).text).toContain('Disallow: /');
  expect((await get(`${served.url}/livez`)).status).toBe(200);
  expect((await get(`${served.url}/readyz`)).status).toBe(200);
  served.order.refuse.set('getCart', new Refused('unavailable'));
  expect((await get(`${served.url}/readyz`)).status).toBe(503);
});
