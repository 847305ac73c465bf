/** Before the payment: what renews, what is agreed to, and with which method. */
import { refusals, Refused } from '@tillstream/rpc/refusals';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chooseLocale } from '../src/words/locale.ts';
import { fieldOf, get, OrderStandIn, post, serve, type Served } from './stand-in.ts';
import {
  byHand,
  card,
  cartId,
  known,
  line,
  monthly,
  orderId,
  payment,
  provider,
  renewingCart,
  subscriptionId,
  token,
  transfer,
  trial,
} from './wire.ts';

let served: Served;
const checkout = () => `${served.url}/checkout/${cartId}`;
const pay = () => `${served.url}/pay/${orderId}/${token}`;
const filled = {
  action: 'place',
  cart_version: '1',
  total_minor: '4900',
  quantity_100001: '1',
  shown_100001: '1',
  payment_method: 'CreditCard',
  email: 'zoe@example.com',
  first_name: 'Zoë',
  last_name: 'Müller',
  country: 'DE',
  terms_accepted: 'yes',
  privacy_accepted: 'yes',
};
const words = (language = 'en') => chooseLocale([language]).words.renewal;

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.stop());
beforeEach(() => {
  const fresh = new OrderStandIn();
  Object.assign(served.order, { cart: fresh.cart, order: fresh.order, subscriptions: [] });
  served.order.calls.length = 0;
  served.order.refuse.clear();
});

describe('the terms of a line', () => {
  test.each([
    [monthly, '€49.00 every month', '49,00 € jeden Monat'],
    [{ ...monthly, period: 'P6M' }, '€49.00 every 6 months', '49,00 € alle 6 Monate'],
    [{ ...monthly, period: 'P1Y' }, '€49.00 every year', '49,00 € jedes Jahr'],
    [{ ...monthly, period: 'P2W' }, '€49.00 every 2 weeks', '49,00 € alle 2 Wochen'],
    [{ ...monthly, period: 'P30D' }, '€49.00 every 30 days', '49,00 € alle 30 Tage'],
    [
      trial,
      'Free for 14 days, then €49.00 every month, until you cancel',
      'Kostenlos für 14 Tage, danach 49,00 € jeden Monat, bis Sie kündigen',
    ],
    [
      { ...trial, trialPeriod: 'P1M' },
      'Free for one month, then €49.00 every month, until you cancel',
      'Kostenlos für einen Monat, danach 49,00 € jeden Monat, bis Sie kündigen',
    ],
    [
      byHand,
      '€49.00 for one year. We will send you an order to pay before it ends.',
      '49,00 € für ein Jahr. Bevor die Zeit endet, senden wir Ihnen eine Bestellung zum Bezahlen.',
    ],
    [
      { ...monthly, renewalPrice: 'current' },
      '€49.00 every month. The price may change: we tell you',
      '49,00 € jeden Monat. Der Preis kann sich ändern',
    ],
  ])('of %o are plain words in both languages', async (terms, english, german) => {
    served.order.cart = renewingCart(terms);
    const plain = (text: string) => text.replaceAll('\u00A0', ' ');
    expect(plain((await get(checkout())).text)).toContain(`<p class="terms">${english}`);
    expect(plain((await get(`${checkout()}?locale=de`)).text)).toContain(`<p class="terms">${german}`);
  });

  test('say what a term of the whole quantity costs, and nothing where nothing renews', async () => {
    const cart = renewingCart({ ...monthly, renewalAmountMinor: 14_700n });
    served.order.cart = { ...cart, lines: cart.lines.map((each) => ({ ...each, quantity: 3 })) };
    expect((await get(checkout())).text).toContain('€147.00 every month');
    served.order.cart = { ...cart, lines: [line], renewalConsent: '' };
    const { text } = await get(checkout());
    for (const word of ['class="terms"', 'auto_renew', 'class="outcome', words().methods.cannotRenew])
      expect(text).not.toContain(word);
  });

  test('of no period are a fault: nobody is sold what cannot be said', async () => {
    served.order.cart = renewingCart({ ...monthly, period: 'P1Y2M' });
    expect((await get(checkout())).status).toBe(500);
  });
});

describe('the consent', () => {
  test.each([true, false])('is a box, ticked first as the shop says: %s', async (isTicked) => {
    served.order.cart = renewingCart(monthly, { renewalConsentDefault: isTicked });
    for (const language of ['en', 'de']) {
      const { text } = await get(`${checkout()}?locale=${language}`);
      const box = fieldOf(text, 'auto_renew');
      expect(box.includes(' checked')).toBe(isTicked);
      expect(box).not.toContain('required');
      const { consent, charged, methods, outcome } = words(language);
      for (const said of [
        consent.agree,
        consent.cancel,
        consent.card,
        consent.without,
        charged.again(2),
        methods.cannotRenew,
        outcome.renews,
        outcome.once,
      ])
        expect(text).toContain(said);
      expect(text).not.toContain(consent.implicit);
    }
  });

  test('keeps what the customer chose through every change and error', async () => {
    served.order.cart = renewingCart(monthly, { renewalConsentDefault: true });
    for (const action of ['update', 'currency', 'locale:de', 'place']) {
      const entered = { ...filled, action, quantity_100001: action === 'update' ? '2' : '1', cart_version: '2' };
      served.order.refuse.set('placeOrder', new Refused('required', { param: 'customer.email' }));
      const without = await post(checkout(), { ...entered, payment_method: 'BankTransfer' });
      expect(fieldOf(without.text, 'auto_renew')).not.toContain(' checked');
      expect(without.text).toMatch(/value="BankTransfer"[^>]*checked/);
      served.order.cart = renewingCart(monthly, { renewalConsentDefault: false });
      served.order.refuse.set('placeOrder', new Refused('required', { param: 'customer.email' }));
      const given = await post(checkout(), { ...entered, auto_renew: 'yes' });
      expect(fieldOf(given.text, 'auto_renew')).toContain(' checked');
      expect(given.text).toMatch(/value="CreditCard"[^>]*checked/);
      served.order.cart = renewingCart(monthly, { renewalConsentDefault: true });
    }
  });

  test('is sent with the order as it was given', async () => {
    served.order.cart = renewingCart(monthly);
    await post(checkout(), { ...filled, auto_renew: 'yes' });
    await post(checkout(), { ...filled, payment_method: 'BankTransfer' });
    expect(served.order.requests('placeOrder')).toMatchObject([
      { autoRenew: true, paymentMethod: 'CreditCard', totalMinor: 4_900n },
      { autoRenew: false, paymentMethod: 'BankTransfer' },
    ]);
  });

  test('is a sentence beside the button where the shop takes it as given', async () => {
    served.order.cart = renewingCart(monthly, { renewalConsent: 'implicit', renewalConsentDefault: true });
    for (const language of ['en', 'de']) {
      const { text } = await get(`${checkout()}?locale=${language}`);
      expect(text).not.toContain('name="auto_renew"');
      expect(text).toMatch(/id="place" aria-describedby="renewal"/);
      const { consent, charged } = words(language);
      const beside = text.slice(text.indexOf('id="renewal"'), text.indexOf('id="place"'));
      for (const said of [consent.implicit, consent.cancel, consent.card, charged.again(2)])
        expect(beside).toContain(said);
    }
  });

  test('of a trial must be given, with a method that can renew: both are said at their fields', async () => {
    served.order.cart = renewingCart(trial);
    const refusal = () =>
      new Refused('invalid_field', {
        fields: [
          { param: 'payment_method', code: 'payment_method_not_supported', detail: '' },
          { param: 'auto_renew', code: 'required', detail: '' },
        ],
      });
    for (const language of ['en', 'de']) {
      served.order.refuse.set('placeOrder', refusal());
      const got = await post(checkout(), { ...filled, total_minor: '0', payment_method: 'x', locale: language });
      const { fields } = chooseLocale([language]).words;
      expect(got.status).toBe(422);
      expect(fieldOf(got.text, 'auto_renew')).toContain(fields.auto_renew.required);
      expect(fieldOf(got.text, 'auto_renew')).toMatch(
        /required aria-invalid="true" aria-describedby="auto_renew-hint auto_renew-problem"/,
      );
      expect(got.text).toContain(`<a href="#auto_renew">${fields.auto_renew.required}</a>`);
      expect(got.text).toContain(`<a href="#payment_method">${fields.payment_method.invalid}</a>`);
      expect(got.text).toContain(words(language).consent.withoutTrial);
      expect(got.text).toContain(words(language).outcome.noTrial);
    }
  });
});

describe('the button that orders', () => {
  test('of a trial says the obligation, that nothing is charged now, and what comes', async () => {
    served.order.cart = renewingCart(trial);
    const { text } = await get(checkout());
    expect(text).toContain('>Order with obligation to pay: €0.00 now, then €49.00 every month</button>');
    expect(text).toContain(words().place.hint);
    const german = await get(`${checkout()}?locale=de`);
    expect(german.text.replaceAll('\u00A0', ' ')).toContain(
      '>Zahlungspflichtig bestellen: heute 0,00 €, danach 49,00 € jeden Monat</button>',
    );
    const cart = renewingCart(trial);
    served.order.cart = { ...cart, lines: [...cart.lines, ...cart.lines.map((each) => ({ ...each, productId: '2' }))] };
    expect((await get(checkout())).text).toContain('€0.00 now, later charges as listed');
  });

  test('of anything with a sum says the sum', async () => {
    for (const terms of [monthly, byHand]) {
      served.order.cart = renewingCart(terms);
      expect((await get(checkout())).text).toContain('>Order with obligation to pay €49.00</button>');
    }
  });

  test('is preceded by the methods there are; by a sentence where there is none, or a method without words', async () => {
    served.order.cart = renewingCart(monthly, { paymentMethods: [] });
    expect((await get(checkout())).text).toContain(words().methods.none);
    const pigeon = { ...transfer, code: 'Carrier"Pigeon', systemName: '<b>Pigeon</b>', textKey: 'toString' };
    served.order.cart = renewingCart(monthly, { paymentMethods: [pigeon] });
    const { text } = await get(checkout());
    expect(text).toContain('<span>&lt;b&gt;Pigeon&lt;/b&gt;</span>');
    expect(text).toContain('value="Carrier&quot;Pigeon" data-renews="no"');
  });
});

describe('the payment page', () => {
  test('offers every method, the chosen one first ticked, and sends what is chosen now', async () => {
    served.order.renews(monthly, undefined, { paymentMethod: 'BankTransfer' });
    for (const language of ['en', 'de']) {
      const { text } = await get(`${pay()}?locale=${language}`);
      expect(text).toMatch(/value="BankTransfer"[^>]*checked/);
      expect(text).not.toMatch(/value="CreditCard"[^>]*checked/);
      const { methods, pay: said, charged, consent } = words(language);
      for (const sentence of [methods.cannotRenew, said.saved, charged.again(2), consent.cancel])
        expect(text).toContain(sentence);
    }
    const gone = await post(pay(), { payment_method: 'CreditCard' });
    expect(gone.location).toBe(`${provider}/pay/1`);
    await post(pay(), {});
    expect(served.order.requests('beginPayment')).toMatchObject([
      { paymentMethod: 'CreditCard' },
      // The order service takes the one that was chosen when it was ordered.
      { paymentMethod: '' },
    ]);
  });

  test('says that nothing renews where nobody agreed to it, and nothing where nothing could', async () => {
    served.order.renews(monthly, undefined, { autoRenew: false });
    const { text } = await get(pay());
    expect(text).toContain(words().pay.once);
    for (const word of [words().pay.saved, words().methods.cannotRenew, 'every month'])
      expect(text).not.toContain(word);
    served.order.renews(byHand);
    expect((await get(pay())).text).not.toContain(words().pay.once);
  });

  test('of a trial takes the card and no money', async () => {
    served.order.renews(trial);
    const { text } = await get(pay());
    expect(text).toContain('>Pay €0.00 now and save the card</button>');
    for (const said of [words().pay.hintTrial, words().pay.savedTrial, words().charged.afterTrial(2)])
      expect(text).toContain(said);
    expect(text).toContain('<input type="hidden" name="payment_method" value="CreditCard"/>');
  });

  test('of a renewal says what it renews until when, and leads to its subscription', async () => {
    const child = {
      renewsSubscriptionId: subscriptionId,
      createdAt: new Date('2026-12-19T22:59:00Z'),
      payment: payment('', { paymentId: '', cardType: 'Visa', cardLast4: '4242' }),
    };
    const block = known({ status: 'not paid', previousOrderId: 1n, previousItemId: 7n });
    served.order.renews(trial, block, child);
    for (const language of ['en', 'de']) {
      const { text } = await get(`${pay()}?locale=${language}`);
      expect(text).toContain(words(language).child.title);
      expect(text).toMatch(/December 21, 2026|21\. Dezember 2026/);
      expect(text).toMatch(/January 21, 2027|21\. Januar 2027/);
      expect(text).toContain(words(language).pay.newCard);
      expect(text).toContain(words(language).methods.thisTerm);
      expect(text).toContain(`href="http://shop.test/order/status/${orderId}/${token}#autorenewal"`);
      expect(text).not.toMatch(/Free for|Kostenlos/);
    }
    served.order.renews(byHand, known({ type: 'PMR', detailUrl: 'javascript:alert(1)' }), {
      ...child,
      isPaidByHand: true,
    });
    const { text } = await get(pay());
    expect(text).toContain(words().child.title);
    for (const word of ['javascript:', words().pay.newCard, words().methods.thisTerm]) expect(text).not.toContain(word);
  });

  test('has no button without a method', async () => {
    served.order.renews(monthly, undefined, { paymentMethods: [] });
    const { text } = await get(pay());
    expect(text).toContain(words().methods.none);
    expect(text).not.toContain('<form');
  });

  test('a payment that waits for its provider is asked for with its own method', async () => {
    served.order.renews(monthly, undefined, { payment: payment('created', { method: 'BankTransfer' }) });
    expect((await get(`${pay()}/go`)).location).toBe(`${provider}/pay/1`);
    expect(served.order.requests('beginPayment')).toMatchObject([{ paymentMethod: 'BankTransfer' }]);
  });

  test('another method waits for the payment that is open, which is offered first and not called unknown', async () => {
    for (const [language, minutes] of [
      ['en', 45],
      ['de', 120],
    ] as const) {
      const begun = payment('created', { method: 'BankTransfer', expiryMinutes: minutes });
      served.order.renews(monthly, undefined, { payment: begun });
      served.order.refuse.set('beginPayment', new Refused('attempt_unresolved'));
      const got = await post(pay(), { payment_method: 'CreditCard', locale: language });
      expect(got.status).toBe(refusals.attempt_unresolved.http);
      const { methods, pay: said } = words(language);
      expect(got.text).toContain(said.otherOpen(methods.texts.transfer.name, minutes));
      expect(got.text).toContain(language === 'en' ? 'within 45 minutes' : 'innerhalb von 2 Stunden');
      expect(got.text).toMatch(/value="BankTransfer"[^>]*checked/);
    }
    served.order.renews(monthly, undefined, { payment: payment('created', { moneyMoved: 'unknown' }) });
    served.order.refuse.set('beginPayment', new Refused('attempt_unresolved'));
    const unknown = await post(pay(), { payment_method: 'BankTransfer' });
    expect(unknown.text).toContain(chooseLocale(['en']).words.pay.unresolved.title);
  });

  test.each(['thanks', 'order/status'])('/%s goes on with the chosen method, and leads to the others', async (page) => {
    served.order.renews(monthly, undefined, { paymentMethod: 'BankTransfer' });
    const { text } = await get(`${served.url}/${page}/${orderId}/${token}`);
    expect(text).toContain('name="payment_method" value="BankTransfer"');
    expect(text).toContain(`<a href="/pay/${orderId}/${token}">${words().pay.other}</a>`);
    served.order.renews(monthly, undefined, { paymentMethods: [card] });
    expect((await get(`${served.url}/${page}/${orderId}/${token}`)).text).not.toContain(words().pay.other);
  });

  test('a method that is refused is said, with its status', async () => {
    served.order.renews(monthly);
    served.order.refuse.set('beginPayment', new Refused('payment_method_not_supported'));
    const got = await post(pay(), { payment_method: 'x'.repeat(1_000) });
    expect(got.status).toBe(refusals.payment_method_not_supported.http);
    expect(got.text).toContain(chooseLocale(['en']).words.pay.methodGone);
  });
});
