/** After the payment: what goes on, and the customer's cancel and restore. */
import { Refused } from '@tillstream/rpc/refusals';
import type { Subscription } from '@tillstream/proto/subscription/v1/subscription_api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chooseLocale } from '../src/words/locale.ts';
import { get, OrderStandIn, post, send, serve, type Served } from './stand-in.ts';
import { byHand, cancelled, known, monthly, orderId, subscription, subscriptionId, token, trial } from './wire.ts';

let served: Served;
const order = () => `${served.url}/order/status/${orderId}/${token}`;
const cancelPage = (id = subscriptionId) => `${order()}/cancel/${id}`;
const change = () => `${order()}/subscription`;
const form = (action: string, id = subscriptionId) => ({ subscription_id: id, action });
const words = (language = 'en') => chooseLocale([language]).words.renewal;
const paid = { status: 'paid', paidAt: new Date('2026-11-21T09:16:00Z'), fulfilmentStatus: 'delivered' };
const changed = `/order/status/${orderId}/${token}?changed=${subscriptionId}#autorenewal`;

function subscribe(more: Partial<Subscription> = {}, terms = monthly): void {
  served.order.renews(terms, known({ type: terms.type }), paid);
  served.order.subscriptions = [{ ...subscription, ...more }];
}

/** The section that mails and webhooks lead to. */
async function section(language = 'en'): Promise<string> {
  const { text } = await get(`${order()}?locale=${language}`);
  const at = text.indexOf('id="autorenewal"');
  return at < 0 ? '' : text.slice(at, text.indexOf('</section>', at));
}

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.stop());
beforeEach(() => {
  const fresh = new OrderStandIn();
  Object.assign(served.order, { order: fresh.order, subscriptions: [] });
  served.order.calls.length = 0;
  served.order.refuse.clear();
});

describe('the section of the parent’s page', () => {
  test.each([
    ['active', {}, monthly, 'renews', 'cancel'],
    ['trial', { type: 'AR_TRIAL', isInTrial: true }, trial, 'trial', 'cancel'],
    ['active', { type: 'PMR', period: 'P1Y' }, byHand, 'byHand', 'cancel'],
    ['notPaid', { status: 'not paid', openOrderId: 5n }, monthly, 'tryAgain', 'cancel'],
    ['notPaid', { status: 'not paid', openOrderId: 5n, nextChargeAt: undefined }, monthly, 'noTry', 'cancel'],
    ['notPaid', { status: 'not paid', nextChargeAt: undefined }, monthly, 'gone', 'cancel'],
    [
      'notPaid',
      { type: 'PMR', status: 'not paid', openOrderId: 5n, nextChargeAt: undefined },
      byHand,
      'open',
      'cancel',
    ],
    ['cancelled', cancelled, monthly, 'cancelled', 'restore'],
    ['cancelled', { ...cancelled, cancelledBy: 'merchant' }, monthly, 'cancelledBySeller', 'restore'],
    ['cancelled', { ...cancelled, cancelledBy: 'refund' }, monthly, 'cancelledByRefund', 'restore'],
    ['cancelled', { ...cancelled, canRestore: false }, monthly, 'notRestorable', 'nothing'],
    ['cancelled', { ...cancelled, type: 'PMR', canRestore: false }, byHand, 'notRestorable', 'nothing'],
  ] as const)('says %s of %o in both languages, with its button', async (state, more, terms, text, button) => {
    subscribe(more, terms);
    for (const language of ['en', 'de']) {
      const said = words(language).section;
      const shown = await section(language);
      expect(shown).toContain(said.states[state]);
      expect(shown).toContain(said[text]);
      expect(shown).toContain(said.accessUntil);
      expect(shown).toMatch(/December 21, 2026|21\. Dezember 2026/);
      expect(shown.includes(`/cancel/${subscriptionId}"`)).toBe(button === 'cancel');
      expect(shown.includes('value="restore"')).toBe(button === 'restore');
      expect(shown).not.toContain('/pay/');
    }
  });

  test('says the next charge with its sum and day, in the shop’s zone', async () => {
    subscribe();
    // 22:59 in Greenwich is the last minute of that day in Berlin.
    expect(await section()).toContain('<dd>€49.00 on December 19, 2026</dd>');
    expect((await section('de')).replaceAll('\u00A0', ' ')).toContain('<dd>49,00 € am 19. Dezember 2026</dd>');
    subscribe({ renewalPrice: 'current' });
    expect(await section()).toContain(words().terms.mayChange);
    subscribe({ type: 'PMR' }, byHand);
    expect(await section()).toContain(words().section.nextOrder);
    subscribe(cancelled);
    expect(await section()).not.toContain(words().section.nextCharge);
  });

  test('shows each of several, and those that only the order knows without buttons', async () => {
    subscribe();
    const [item] = served.order.order.items;
    if (item === undefined) throw new Error('no item');
    const other = { ...item, id: 8n, name: 'Forty Typefaces', subscription: known({ id: `${orderId}_8` }) };
    served.order.order = { ...served.order.order, items: [item, other] };
    const shown = await section();
    expect(shown).toContain('Your 2 subscriptions');
    expect(shown).toContain(words().section.unavailable);
    expect(shown.match(/\/cancel\//g)).toHaveLength(1);
    expect((await get(cancelPage(`${orderId}_8`))).status).toBe(503);
  });

  test('is not there where nothing renews, and not on a renewal’s own page', async () => {
    expect(await section()).toBe('');
    subscribe();
    served.order.order = { ...served.order.order, renewsSubscriptionId: subscriptionId };
    expect(await section()).toBe('');
    const { text } = await get(order());
    expect(text).toContain(words().child.title);
    expect(text).toContain(`href="http://shop.test/order/status/${orderId}/${token}#autorenewal"`);
    expect((await get(cancelPage())).status).toBe(404);
  });
});

describe('cancel', () => {
  test.each([
    [{}, monthly, ['noCharges', 'access', 'restorable']],
    [{ type: 'AR_TRIAL', isInTrial: true }, trial, ['noCharges', 'freeAccess', 'restorable']],
    [{ status: 'not paid', openOrderId: 5n }, monthly, ['noCharges', 'access', 'underWay', 'restorable']],
    [
      { status: 'not paid', openOrderId: 5n, nextChargeAt: undefined },
      monthly,
      ['noCharges', 'paidAccess', 'underWay'],
    ],
    [{ type: 'PMR' }, byHand, ['noOrders', 'access', 'notRestorable']],
  ] as const)('asks once more and says what follows for %o', async (more, terms, sentences) => {
    subscribe(more, terms);
    for (const language of ['en', 'de']) {
      const { cancelling } = words(language);
      const got = await get(`${cancelPage()}?locale=${language}`);
      expect(got.status).toBe(200);
      const day = language === 'en' ? 'December 21, 2026' : '21. Dezember 2026';
      const expected = sentences.map((each) => {
        const said = cancelling[each];
        return typeof said === 'string' ? said : said(day);
      });
      expect([...got.text.matchAll(/<li>([^<]*)<\/li>/g)].map((match) => match[1])).toEqual(expected);
      expect(got.text).toContain(`action="/order/status/${orderId}/${token}/subscription"`);
      expect(got.text).toContain(`name="subscription_id" value="${subscriptionId}"`);
    }
    expect(served.order.requests('changeSubscription')).toEqual([]);
  });

  test('is done once, however often it is sent, and the page says what it has become', async () => {
    subscribe();
    const sent = await Promise.all([post(change(), form('cancel')), post(change(), form('cancel'))]);
    for (const got of sent) expect([got.status, got.location]).toEqual([303, changed]);
    expect(served.order.requests('changeSubscription')[0]).toEqual({
      orderId,
      token,
      subscriptionId,
      action: 'cancel',
    });
    for (const language of ['en', 'de']) {
      const { text } = await get(`${order()}?changed=${subscriptionId}&locale=${language}`);
      const day = language === 'en' ? 'December 21, 2026' : '21. Dezember 2026';
      expect(text).toContain(words(language).changed.cancelled('Quill Editor', day));
    }
    // Who comes back to the question is told the answer.
    const again = await get(cancelPage());
    expect([again.status, again.location]).toEqual([303, changed]);
  });

  test('believes no address about what happened', async () => {
    subscribe();
    expect((await get(`${order()}?changed=${subscriptionId}`)).text).not.toContain('is cancelled');
    const forged = await get(`${order()}?changed=%3Cscript%3E&cancelled=1`);
    expect(forged.text).not.toMatch(/<script>|role="status"/);
  });
});

describe('restore', () => {
  test('is done once, however often it is sent', async () => {
    subscribe(cancelled);
    for (const got of [await post(change(), form('restore')), await post(change(), form('restore'))])
      expect([got.status, got.location]).toEqual([303, changed]);
    expect((await get(`${order()}?changed=${subscriptionId}`)).text).toContain(words().changed.active('Quill Editor'));
    subscribe({ status: 'not paid', openOrderId: 5n });
    expect((await get(`${order()}?changed=${subscriptionId}`)).text).toContain(words().changed.notPaid('Quill Editor'));
  });

  test.each([
    ['restore_not_supported', 409],
    ['subscription_ended', 409],
    ['unavailable', 503],
  ] as const)('that is refused with %s says why on the order page, in both languages', async (code, status) => {
    subscribe(cancelled);
    for (const language of ['en', 'de']) {
      served.order.refuse.set('changeSubscription', new Refused(code));
      const got = await post(change(), { ...form('restore'), locale: language });
      expect(got.status).toBe(status);
      expect(got.text).toContain(words(language).refused[code]);
      expect(got.text).toContain('id="autorenewal"');
    }
    // The page stands at the form's address: a language or a reload leads back to the order.
    const back = await get(`${change()}?locale=de`);
    expect([back.status, back.location]).toEqual([303, `/order/status/${orderId}/${token}#autorenewal`]);
    expect(back.cookies.join()).toContain('till_locale=de');
  });

  test('of what is paid by hand is refused by the order service, whatever is sent', async () => {
    subscribe({ ...cancelled, type: 'PMR', canRestore: false }, byHand);
    expect((await post(change(), form('restore'))).status).toBe(409);
  });
});

describe('strangers', () => {
  test('find nothing with a foreign token, order or subscription', async () => {
    subscribe();
    const nowhere = await get(`${served.url}/nowhere`);
    const strip = (text: string) => text.replaceAll(/nonce="[^"]*"|href="\/[^"]*\?locale=/g, '');
    for (const [id, key] of [
      [orderId, '0'.repeat(32)],
      [orderId, token.toUpperCase()],
      [7n, token],
    ] as const) {
      const base = `${served.url}/order/status/${id}/${key}`;
      for (const got of [
        await get(`${base}/cancel/${subscriptionId}`),
        await post(`${base}/subscription`, form('cancel')),
        await post(`${base}/subscription`, form('restore')),
      ]) {
        expect(got.status).toBe(404);
        expect(strip(got.text)).toBe(strip(nowhere.text));
      }
    }
    for (const id of ['1_1', `${orderId}_8`, `${orderId}`, '', '../x', "1_1' or 1=1", '9'.repeat(60)]) {
      expect((await get(cancelPage(encodeURIComponent(id)))).status).toBe(404);
      expect((await post(change(), form('cancel', id))).status).toBe(404);
    }
    expect(served.order.subscriptions[0]?.status).toBe('active');
  });

  test('cannot send a form from elsewhere, another method or another action', async () => {
    subscribe();
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])
      expect((await post(change(), form('cancel'), headers)).status).toBe(403);
    expect((await post(change(), form('refund'))).status).toBe(400);
    expect((await post(change(), {})).status).toBe(404);
    const put = await send(
      cancelPage(),
      'POST',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'action=cancel',
    );
    expect([put.status, put.headers['allow']]).toEqual([405, 'GET']);
    expect(served.order.requests('changeSubscription')).toEqual([]);
  });

  test('read no markup out of names', async () => {
    const hostile = '"><script>alert(1)</script>';
    subscribe({ productName: hostile, status: hostile });
    for (const url of [order(), cancelPage()]) {
      const { text } = await get(url);
      expect(text).not.toContain('<script>alert');
      expect(text).toContain('&lt;script&gt;');
    }
  });
});

describe('the thank-you page', () => {
  const thanks = (language = 'en') => get(`${served.url}/thanks/${orderId}/${token}?locale=${language}`);
  const days = { en: ['December 21, 2026', 'December 19, 2026'], de: ['21. Dezember 2026', '19. Dezember 2026'] };
  const prices = { en: '€49.00 every month', de: '49,00\u00A0€ jeden Monat' };

  test.each(['en', 'de'] as const)('says in %s what renews, when and for how much', async (language) => {
    const { thanks: said, terms, child } = words(language);
    const [end = '', charge = ''] = days[language];
    const name = 'Quill Editor';
    const shows = async (...sentences: readonly string[]) => {
      const { text } = await thanks(language);
      for (const sentence of sentences) expect(text).toContain(sentence);
      return text;
    };
    served.order.renews(monthly, known(), paid);
    await shows(said.renews(name, charge, prices[language]), `href="/order/status/${orderId}/${token}#autorenewal"`);
    served.order.renews({ ...monthly, renewalPrice: 'current' }, known(), paid);
    await shows(`${said.renews(name, charge, prices[language])} ${terms.mayChange}`);
    served.order.renews(trial, known({ type: 'AR_TRIAL', periods: 0 }), paid);
    await shows(said.trial(name, end, charge, prices[language]), said.free.delivered);
    served.order.renews(byHand, known({ type: 'PMR' }), paid);
    await shows(said.byHand(name, end));
    served.order.renews(monthly, known({ status: 'cancelled' }), paid);
    await shows(said.ends(name, end));
    served.order.renews(monthly, undefined, paid);
    expect(await shows(said.once(name))).not.toContain(said.manage);
    const renewal = { ...paid, renewsSubscriptionId: subscriptionId };
    served.order.renews(trial, known({ type: 'AR_TRIAL', term: 2 }), renewal);
    await shows(
      child.extended(name, end),
      said.renews(name, charge, prices[language]),
      `href="http://shop.test/order/status/${orderId}/${token}#autorenewal"`,
    );
  });

  test('promises nothing before the payment', async () => {
    served.order.renews(monthly);
    expect((await thanks()).text).not.toContain(words().thanks.title);
  });
});
