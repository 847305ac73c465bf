import { refusals, Refused } from '@tillstream/rpc/refusals';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chooseLocale } from '../src/words/locale.ts';
import { cart, cartId, fieldOf, get, line, post, send, serve, token, type Served } from './stand-in.ts';

let served: Served;
const page = () => `${served.url}/checkout/${cartId}`;
const filled = {
  action: 'place',
  cart_version: '1',
  total_minor: '10000',
  quantity_100001: '1',
  shown_100001: '1',
  payment_method: 'CreditCard',
  email: 'zoe@example.com',
  first_name: 'Zoë',
  last_name: 'Müller',
  country: 'de',
  terms_accepted: 'yes',
  privacy_accepted: 'yes',
};

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.stop());
beforeEach(() => {
  served.order.cart = cart;
  served.order.calls.length = 0;
  served.order.refuse.clear();
});

describe('a checkout link', () => {
  test('puts the product into a cart, remembers the cart, and shows it', async () => {
    const got = await get(`${served.url}/basket/add/100001?quantity=2&currency=usd&locale=de&clear=Y`);
    expect([got.status, got.location]).toEqual([303, `/checkout/${cartId}`]);
    expect(got.cookies.join()).toMatch(new RegExp(`till_cart=${cartId}; Path=/; Max-Age=\\d+; HttpOnly; SameSite=Lax`));
    expect(served.order.requests('addToCart')).toEqual([
      {
        cartId: '',
        productId: '100001',
        quantity: 2,
        currency: 'USD',
        locale: 'de',
        clear: true,
        externalId: '',
        additionalData: [],
      },
    ]);
  });

  test('adds to the cart that the browser remembers, in the language the browser asks for', async () => {
    await get(`${served.url}/basket/add/100001`, {
      cookie: `a=b; till_cart=${cartId}`,
      'accept-language': 'fr, de-AT;q=0.8',
    });
    await get(`${served.url}/basket/add/100001`, { cookie: 'till_cart=../../etc' });
    expect(served.order.requests('addToCart')).toMatchObject([
      { cartId, locale: 'de-AT', quantity: 0, currency: '' },
      { cartId: '', locale: '' },
    ]);
  });

  test.each([
    ['quantity=0x', 'quantity_out_of_range'],
    ['quantity=-1', 'quantity_out_of_range'],
    ['quantity=0', 'quantity_out_of_range'],
    ['quantity=99999999999', 'quantity_out_of_range'],
    ['currency=EURO', 'currency_not_supported'],
  ] as const)('with %s says why, asks nobody, and leads back to the cart', async (query, code) => {
    const got = await get(`${served.url}/basket/add/100001?${query}`, { cookie: `till_cart=${cartId}` });
    expect(got.status).toBe(refusals[code].http);
    expect(got.text).toContain(chooseLocale(['en']).words.linkRefused[code].title);
    expect(got.text).toContain(`href="/checkout/${cartId}"`);
    expect(got.cookies).toEqual([]);
    expect(served.order.calls).toEqual([]);
  });

  test.each([
    'product_not_found',
    'product_not_available',
    'currency_not_supported',
    'quantity_out_of_range',
    'too_many_items',
    'invalid_field',
    'card_number_refused',
  ] as const)('that the order service refuses with %s says why in both languages, with its status', async (code) => {
    for (const language of ['en', 'de']) {
      served.order.refuse.set('addToCart', new Refused(code));
      const got = await get(`${served.url}/basket/add/100001`, { 'accept-language': language });
      expect(got.status).toBe(refusals[code].http);
      expect(got.text).toContain(chooseLocale([language]).words.linkRefused[code].title);
      expect(got.cookies).toEqual([]);
    }
  });

  test('attaches an external id and additional parameters, in its order and unchanged', async () => {
    const query = 'external_id=TEST%2012025&ap_referer2=a%26b&other=1&ap_referer3=&ap_referer2=twice&AP_x=1';
    await get(`${served.url}/basket/add/100001?${query}`);
    expect(served.order.requests('addToCart')).toMatchObject([
      {
        externalId: 'TEST 12025',
        additionalData: [
          { name: 'referer2', value: 'a&b' },
          { name: 'referer3', value: '' },
        ],
      },
    ]);
  });

  test('is not followed for a browser that only looks ahead', async () => {
    expect((await get(`${served.url}/basket/add/100001`, { 'sec-purpose': 'prefetch;prerender' })).status).toBe(503);
    expect(served.order.calls).toEqual([]);
  });

  test('with a code says on the page that the code is not valid', async () => {
    const got = await get(`${served.url}/basket/add/100001?code=SAVE10`);
    const shown = await get(`${served.url}${got.location}`);
    expect(shown.text).toContain('The code in the link is not valid. The price is unchanged.');
    expect(shown.text).toContain('€100.00');
    expect((await get(`${served.url}/basket/add/abc`)).status).toBe(404);
  });
});

describe('the checkout page', () => {
  test('shows the cart, every field with its autocomplete token, and the sum on the button', async () => {
    const { status, text } = await get(page());
    expect(status).toBe(200);
    for (const hint of ['email', 'given-name', 'family-name', 'country', 'organization'])
      expect(text).toContain(`autocomplete="${hint}"`);
    expect(text).toMatch(/<button class="primary"[^>]*>Order with obligation to pay €100\.00<\/button>/);
    expect(text).toContain('name="total_minor" value="10000"');
    expect(text.match(/<option /g)?.length).toBeGreaterThan(249);
    expect(text.length).toBeLessThan(50_000);
  });

  test('is in the language that was asked for, then the cart’s, then the browser’s', async () => {
    served.order.cart = { ...cart, locale: 'de' };
    expect((await get(page(), { 'accept-language': 'en' })).text).toMatch(
      /<html lang="de" dir="ltr">[\s\S]*Zahlungspflichtig bestellen für 100,00/,
    );
    const asked = await get(`${page()}?locale=en-GB`);
    expect(asked.text).toContain('<html lang="en-GB"');
    expect(asked.cookies.join()).toContain('till_locale=en-GB');
    expect((await get(page(), { cookie: 'till_locale=en-GB' })).text).toContain('<html lang="en-GB"');
    served.order.cart = { ...cart, locale: '' };
    expect((await get(page(), { 'accept-language': 'fr;q=0.9, de;q=0.8' })).text).toContain('<html lang="de"');
    expect((await get(`${page()}?locale="><script>`)).text).toContain('<html lang="en"');
  });

  test('changes and removes lines, changes currency and language, and keeps what was entered', async () => {
    const entered = { ...filled, email: 'kept@example.com' };
    const updated = await post(page(), { ...entered, action: 'update', quantity_100001: '3' });
    expect(updated.status).toBe(200);
    expect(updated.text).toContain('€300.00');
    expect(updated.text).toContain('value="kept@example.com"');
    expect(updated.text).toMatch(/<option value="DE" selected>/);
    await post(page(), { ...entered, action: 'currency', currency: 'USD' });
    const german = await post(page(), { ...entered, locale: 'en', action: 'locale:de' });
    expect(german.text).toContain('<html lang="de"');
    expect(german.text).toContain('value="kept@example.com"');
    expect(german.cookies.join()).toContain('till_locale=de');
    const removed = await post(page(), { ...entered, action: 'remove:100001' });
    expect(removed.text).toContain('Your cart is empty');
    expect(served.order.requests('changeCart')).toEqual([
      { cartId, changes: [{ productId: '100001', quantity: 3 }], currency: '' },
      { cartId, changes: [], currency: 'USD' },
      { cartId, changes: [{ productId: '100001', quantity: 0 }], currency: '' },
    ]);
  });

  test.each(['11', '-1', '1.5', 'many', ''])('refuses the quantity "%s" next to its field', async (quantity) => {
    const got = await post(page(), { ...filled, action: 'update', quantity_100001: quantity });
    expect(got.status).toBe(422);
    expect(fieldOf(got.text, 'quantity_100001')).toMatch(
      /aria-invalid="true" aria-describedby="quantity_100001-problem"[\s\S]*Enter a whole number from 1 to 10\./,
    );
    expect(got.text).toContain('href="#quantity_100001"');
    expect(served.order.cart.version).toBe(1);
  });

  test('orders nothing at a sum that was not shown: a quantity typed and not sent is shown first', async () => {
    const got = await post(page(), { ...filled, quantity_100001: '2' });
    expect(got.text).toContain('Please check the new total');
    expect(got.text).toContain('€200.00');
    expect(served.order.requests('placeOrder')).toEqual([]);
  });

  test('makes the order of what was seen and goes to its payment page, as often as it is sent', async () => {
    const sent = await Promise.all([
      post(page(), filled),
      post(page(), filled),
      post(page(), filled, { cookie: `till_cart=${cartId}` }),
    ]);
    for (const got of sent) expect([got.status, got.location]).toEqual([303, `/pay/1000001/${token}`]);
    expect(sent[2]?.cookies.join()).toContain('till_cart=; Path=/; Max-Age=0');
    expect(served.order.requests('placeOrder')[0]).toMatchObject({
      cartId,
      cartVersion: 1,
      totalMinor: 10_000n,
      paymentMethod: 'CreditCard',
      termsAccepted: true,
      privacyAccepted: true,
      locale: 'en',
      customer: { email: 'zoe@example.com', firstName: 'Zoë', lastName: 'Müller', country: 'DE', type: 'physical' },
    });
    await post(page(), { ...filled, vat_number: 'DE123456789' });
    expect(served.order.requests('placeOrder').at(-1)).toMatchObject({
      customer: { type: 'legal', vatNumber: 'DE123456789' },
    });
  });

  test('names every refused field, in a list that has the focus and next to the field, in both languages', async () => {
    for (const language of ['en', 'de']) {
      const { words } = chooseLocale([language]);
      served.order.refuse.set(
        'placeOrder',
        new Refused('invalid_field', {
          fields: [
            ...(['email', 'first_name', 'last_name', 'country'] as const).map((name) => ({
              param: `customer.${name}`,
              code: 'required' as const,
              detail: 'x',
            })),
            { param: 'terms_accepted', code: 'terms_not_accepted', detail: 'x' },
            { param: 'privacy_accepted', code: 'privacy_not_accepted', detail: 'x' },
            { param: 'payment_method', code: 'payment_method_not_supported', detail: 'x' },
            { param: 'customer.company_name', code: 'too_long', detail: 'x' },
            { param: 'customer.vat_number', code: 'invalid_field', detail: 'x' },
            { param: 'customer.company_billing_address', code: 'card_number_refused', detail: 'x' },
          ],
        }),
      );
      const got = await post(page(), {
        action: 'place',
        cart_version: '1',
        total_minor: '10000',
        first_name: 'Zoë 🌸',
        company_name: 'x',
        locale: language,
      });
      expect(got.status).toBe(422);
      expect(got.text).toContain('role="alert" tabindex="-1" autofocus');
      const expected = {
        email: words.fields.email.required,
        first_name: words.fields.first_name.required,
        last_name: words.fields.last_name.required,
        country: words.fields.country.required,
        terms_accepted: words.fields.terms_accepted.required,
        privacy_accepted: words.fields.privacy_accepted.required,
        vat_number: words.fields.vat_number.invalid,
        company_name: words.problems.tooLong(words.fields.company_name.label),
        company_billing_address: words.problems.cardNumber,
      };
      for (const [field, text] of Object.entries(expected)) {
        expect(fieldOf(got.text, field)).toMatch(
          new RegExp(`aria-invalid="true" aria-describedby="[^"]*${field}-problem"`),
        );
        expect(fieldOf(got.text, field)).toContain(text);
        expect(got.text).toContain(`<a href="#${field}">${text}</a>`);
      }
      expect(got.text).toContain(`id="payment_method-problem"`);
      expect(got.text).toContain('value="Zoë 🌸"');
      expect(got.text).toContain('<details class="company" open>');
    }
  });

  test.each([
    ['cart_changed', 'cartChanged'],
    ['product_not_available', 'notAvailable'],
    ['unavailable', 'tryAgain'],
    ['conflict_retry', 'tryAgain'],
    ['invalid_request', 'unexpected'],
  ] as const)('says what %s means for the cart as a whole, and keeps what was entered', async (code, word) => {
    for (const language of ['en', 'de']) {
      served.order.refuse.set('placeOrder', new Refused(code));
      const got = await post(page(), { ...filled, locale: language });
      expect(got.status).toBe(refusals[code].http);
      expect(got.text).toContain(chooseLocale([language]).words.problems[word]);
      expect(got.text).toContain('value="zoe@example.com"');
    }
  });

  test('leads from an ordered cart to its order instead of ordering again', async () => {
    served.order.cart = { ...cart, orderId: 1_000_001n, orderToken: token };
    const got = await get(page());
    expect(got.text).toContain(`href="/order/status/1000001/${token}"`);
    expect(got.text).toContain('A0001000001');
    expect(got.text).not.toContain('value="place"');
    served.order.refuse.set('placeOrder', new Refused('cart_already_ordered'));
    expect((await post(page(), filled)).location).toBe(`/checkout/${cartId}`);
  });

  test('leads to the payment when the press came through and only its answer was lost', async () => {
    served.order.cart = { ...cart, orderId: 1_000_001n, orderToken: token };
    served.order.refuse.set('placeOrder', new Refused('unavailable'));
    const got = await post(page(), filled);
    expect([got.status, got.location]).toEqual([303, `/pay/1000001/${token}`]);
  });

  test('is not found for an unknown cart', async () => {
    for (const id of ['d'.repeat(32), 'x', `${cartId}0`, '%00'])
      expect((await get(`${served.url}/checkout/${id}`)).status).toBe(404);
  });
});

describe('strangers', () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`;

  test('product names, shops and entries are text, whatever is in them', async () => {
    served.order.cart = {
      ...cart,
      shopName: hostile,
      supportUrl: 'javascript:alert(1)',
      termsUrl: 'javascript:alert(1)',
      supportEmail: `x"${hostile}`,
      lines: [
        {
          ...line,
          name: hostile,
          familyName: hostile,
          description: `\u202E${hostile}`,
          imageUrl: `https://x.test/"onerror="alert(1)`,
        },
      ],
    };
    const { text } = await get(page());
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('<img src=x');
    expect(text).not.toContain('javascript:');
    expect(text).not.toMatch(/ onerror="/);
    expect(text).toContain('<bdi class="product">&quot;&gt;&lt;script&gt;');
    served.order.cart = cart;
    served.order.refuse.set('placeOrder', new Refused('required', { param: 'customer.last_name' }));
    const refused = await post(page(), {
      ...filled,
      first_name: hostile,
      company_billing_address: `</textarea>${hostile}`,
    });
    expect(refused.text).not.toContain('<script>alert');
    expect(refused.text).toContain('&lt;/textarea&gt;');
    expect((await post(page(), { ...filled, cart_version: hostile })).status).toBe(400);
  });

  test('pictures come over https or not at all', async () => {
    for (const imageUrl of ['http://x.test/a.png', 'data:image/svg+xml,<svg/>', 'javascript:1', '//x.test/a.png']) {
      served.order.cart = { ...cart, lines: [{ ...line, imageUrl }] };
      expect((await get(page())).text).not.toContain('<img');
    }
  });

  test('a form from another site is refused; forms of our own and of old browsers are not', async () => {
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) {
      expect((await post(page(), filled, headers)).status).toBe(403);
    }
    const bare = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(filled).toString();
    expect((await send(page(), 'POST', { ...bare, origin: 'https://evil.test' }, body)).status).toBe(403);
    expect(served.order.requests('placeOrder')).toEqual([]);
    expect((await send(page(), 'POST', { ...bare, origin: 'http://shop.test' }, body)).status).toBe(303);
    expect((await send(page(), 'POST', { ...bare, origin: 'null' }, body)).status).toBe(303);
    expect((await send(page(), 'POST', bare, body)).status).toBe(303);
  });

  test('every answer carries the policy, with a nonce of its own that its script and its style bear', async () => {
    const [one, two] = await Promise.all([get(page()), get(`${served.url}/nowhere`)]);
    const nonces = [one, two].map((got) => {
      const policy = String(got.headers['content-security-policy']);
      const nonce = /script-src 'nonce-([\w-]{20,})';/.exec(policy)?.[1] ?? 'none';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe');
      expect(policy).toContain("frame-ancestors 'none'; base-uri 'none'");
      expect(policy).toContain("form-action 'self' http://provider.test:4004;");
      expect(got.text.match(new RegExp(`nonce="${nonce}"`, 'g'))).toHaveLength(2);
      expect(got.text).not.toMatch(/ style=| on[a-z]+="/);
      expect(got.headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'cross-origin-opener-policy': 'same-origin',
      });
      return nonce;
    });
    expect(new Set(nonces).size).toBe(2);
  });

  test('a body that is too large or no form gets a page with the right status', async () => {
    const large = await post(page(), { ...filled, first_name: 'x'.repeat(100_000) });
    expect(large.status).toBe(413);
    expect(large.text).toContain('That was too much');
    expect((await send(page(), 'POST', { 'content-type': 'application/json' }, '{}')).status).toBe(415);
  });
});

test('with https, cookies are Secure and the browser is told to stay with it; too many forms are told to wait', async () => {
  const secure = await serve({ CHECKOUT_URL: 'https://shop.example', POSTS_PER_TEN_SECONDS: 3 });
  try {
    const added = await get(`${secure.url}/basket/add/100001`);
    expect(added.cookies.join()).toMatch(
      /^__Host-till_cart=c{32}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(added.headers['strict-transport-security']).toContain('max-age');
    const statuses = [];
    for (let each = 0; each < 5; each += 1)
      statuses.push((await post(`${secure.url}/checkout/${cartId}`, filled)).status);
    expect(statuses).toEqual([303, 303, 303, 429, 429]);
    expect((await get(`${secure.url}/checkout/${cartId}`)).status).toBe(200);
  } finally {
    await secure.stop();
  }
});
