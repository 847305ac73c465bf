/** Every page in every state, from made-up shops and orders: for tests and for looking at. */
import { noEntries } from '../src/domain/entries.ts';
import type { Phase } from '../src/domain/phase.ts';
import { script, style } from '../src/assets/assets.ts';
import { checkoutPage } from '../src/pages/checkout-page.ts';
import { messagePage } from '../src/pages/message-page.ts';
import { orderPage } from '../src/pages/order-page.ts';
import { payPage, waitingPage } from '../src/pages/pay-page.ts';
import { thanksPage } from '../src/pages/thanks-page.ts';
import type { Html } from '../src/pages/html.ts';
import type { CheckoutView, Frame, ItemView, LineView, OrderView, Shop } from '../src/pages/view.ts';
import { methodViews } from '../src/inbound/terms-views.ts';
import { countriesIn } from '../src/words/countries.ts';
import { chooseLocale } from '../src/words/locale.ts';
import { renewalGallery } from './renewal-fixtures.ts';
import { card } from './wire.ts';

export const shop: Shop = {
  name: 'Quill & Sons',
  supportEmail: 'help@quill.example',
  supportUrl: '',
  termsUrl: 'https://quill.example/terms',
  privacyUrl: 'https://quill.example/privacy',
};

export function frameFor(language: string, path: string, more: Partial<Frame> = {}): Frame & { shop: Shop } {
  const locale = chooseLocale([language]);
  return {
    locale,
    nonce: 'bm9uY2U',
    path,
    assets: { style: style.path, script: script.path },
    isTest: true,
    ...more,
    shop: more.shop ?? shop,
  };
}

const token = '0123456789abcdef0123456789abcdef';

export const line: LineView = {
  productId: '100001',
  name: 'Quill Editor',
  family: 'Quill',
  description: 'A writing tool that stays out of the way. One licence, one computer, for ever.',
  imageUrl: '',
  quantity: 2,
  minQuantity: 1,
  maxQuantity: 999,
  price: '€100.00',
  amount: '€200.00',
  terms: '',
};

const secondLine: LineView = {
  ...line,
  productId: '100002',
  name: 'Forty Typefaces – the whole library with every weight, width and optical size',
  family: 'Foundry',
  description: '',
  quantity: 1,
  price: '€24.90',
  amount: '€24.90',
};

export function checkoutView(language: string, more: Partial<CheckoutView> = {}): CheckoutView {
  const locale = chooseLocale([language]);
  const { checkout } = locale.words;
  return {
    methods: methodViews([card], '', locale),
    byHand: [],
    place: { text: checkout.place('€224.90'), hint: checkout.placeHint },
    cart: {
      id: token,
      version: 3,
      lines: [line, secondLine],
      total: '€224.90',
      totalMinor: '22490',
      currency: 'EUR',
      currencies: ['EUR', 'USD'],
    },
    entries: { ...noEntries, payment_method: 'CreditCard' },
    problems: [],
    countries: countriesIn(locale),
    isSummaryOpen: false,
    ...more,
  };
}

export const item: ItemView = {
  id: '1',
  name: 'Quill Editor',
  family: 'Quill',
  quantity: 2,
  price: '€100.00',
  amount: '€200.00',
  terms: '',
  isDelivered: false,
  codes: [],
};

export function orderView(phase: Phase, more: Partial<OrderView> = {}): OrderView {
  const isPaid = phase === 'paid' || phase === 'delivered';
  return {
    id: '1000001',
    token,
    name: 'A0001000001',
    phase,
    placedAt: '21 November 2026 at 09:14 UTC',
    paidAt: isPaid ? '21 November 2026 at 09:16 UTC' : '',
    email: 'zoe@example.com',
    items: [
      item,
      { ...item, id: '2', name: secondLine.name, family: 'Foundry', quantity: 1, price: '€24.90', amount: '€24.90' },
    ],
    total: '€224.90',
    isFreeNow: false,
    begunMethod: '',
    expiryMinutes: 30,
    chosenMethod: 'CreditCard',
    methods: methodViews([card], '', chooseLocale(['en'])),
    subscriptions: [],
    goesOn: [],
    manageAt: '',
    method: isPaid ? 'Visa ending in 4242' : 'Card',
    paymentStatus: isPaid ? 'booked' : phase === 'failed' ? 'failed' : '',
    reason: '',
    money: '',
    ...more,
  };
}

/** Name → page. The order is that of a purchase. */
export function gallery(language: string): Readonly<Record<string, Html>> {
  const { words } = chooseLocale([language]);
  const frame = (path: string) => frameFor(language, path);
  const wrong = (field: 'email' | 'first_name' | 'last_name' | 'country' | 'terms_accepted' | 'privacy_accepted') => ({
    field,
    text: words.fields[field].required,
  });
  const failed = orderView('failed', { reason: words.reasons.card_declined, money: words.moneyMoved.no });
  const codes = { isDelivered: true, codes: ['QUILL1-8F2A0-77C1D-90BEF-4A6D2', 'QUILL1-0C9E1-5B2F3-AA018-7D4C6'] };
  const delivered = orderView('delivered', {
    items: [
      { ...item, ...codes },
      {
        ...item,
        id: '2',
        name: secondLine.name,
        family: 'Foundry',
        quantity: 1,
        price: '€24.90',
        amount: '€24.90',
        isDelivered: true,
        codes: ['FONTS40-77AB1'],
      },
    ],
  });
  const checkout = frame('/checkout/c');
  const problems = [
    wrong('email'),
    wrong('last_name'),
    wrong('country'),
    wrong('terms_accepted'),
    wrong('privacy_accepted'),
  ];
  const first = checkoutView(language).cart;
  const told = (phase: Phase, more: Partial<OrderView> = {}) =>
    thanksPage(frame('/thanks/1/t'), orderView(phase, more));
  return {
    checkout: checkoutPage(checkout, checkoutView(language)),
    'checkout-problems': checkoutPage(
      checkout,
      checkoutView(language, {
        entries: { ...noEntries, payment_method: 'CreditCard', first_name: 'Zoë 🌸' },
        problems,
        cart: { ...first, lines: [{ ...line, entered: '0', problem: words.problems.quantity(1, 999) }, secondLine] },
      }),
    ),
    'checkout-notice': checkoutPage(
      checkout,
      checkoutView(language, {
        entries: {
          ...noEntries,
          payment_method: 'CreditCard',
          email: 'zoe@example.com',
          first_name: 'Zoë',
          last_name: 'Müller',
          country: 'DE',
          company_name: 'Müller KG',
          terms_accepted: true,
        },
        notice: { tone: 'problem', text: words.problems.cartChanged },
        isSummaryOpen: true,
        cart: { ...first, lines: [line], currencies: ['EUR'], total: '€200.00' },
      }),
    ),
    'checkout-code': checkoutPage(
      checkout,
      checkoutView(language, { notice: { tone: 'info', text: words.problems.codeNotValid } }),
    ),
    'link-refused': messagePage(frame('/basket/add/1'), {
      told: words.linkRefused.currency_not_supported,
      tone: 'plain',
      icon: 'basket',
      link: { href: '/checkout/c', text: words.backToCart },
    }),
    'cart-empty': messagePage(frame('/checkout/c'), { told: words.cartEmpty, tone: 'plain', icon: 'basket' }),
    pay: payPage(frame('/pay/1/t'), orderView('unpaid')),
    'pay-failed': payPage(frame('/pay/1/t'), failed),
    'pay-unknown': payPage(frame('/pay/1/t'), orderView('unknown')),
    'pay-waiting': waitingPage(frame('/pay/1/t/go'), orderView('unfinished')),
    'thanks-failed': thanksPage(frame('/thanks/1/t'), failed),
    'thanks-checking': told('checking'),
    'thanks-unknown': told('unknown'),
    'thanks-unfinished': told('unfinished'),
    'thanks-expired': told('expired', { money: words.moneyMoved.no }),
    'thanks-withdrawn': told('withdrawn', { money: words.moneyMoved.no }),
    'thanks-paid': told('paid'),
    'thanks-delivered': thanksPage(frame('/thanks/1/t'), delivered),
    'thanks-deleted': told('deleted'),
    'order-unpaid': orderPage(frame('/order/status/1/t'), orderView('unpaid')),
    'order-failed': orderPage(frame('/order/status/1/t'), failed),
    'order-paid': orderPage(frame('/order/status/1/t'), orderView('paid')),
    'order-delivered': orderPage(frame('/order/status/1/t'), delivered),
    ...renewalGallery(frame),
    'not-found': messagePage(frame('/x'), { told: words.notFound, tone: 'plain', icon: 'question' }),
    failed: messagePage(frame('/x'), {
      told: words.failed,
      tone: 'bad',
      icon: 'alert',
      reference: '4bf92f3577b34da6a3ce929d0e0e4736',
    }),
  };
}
