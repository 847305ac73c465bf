/** The pages about what renews, in every state, from what the order service says. */
import type { Cart, OpenOrderResponse, Order } from '@tillstream/proto/order/v1/order_api';
import type { Subscription } from '@tillstream/proto/subscription/v1/subscription_api';
import { noEntries, type Entries, type Fault } from '../src/domain/entries.ts';
import { checkoutViewOf, orderViewOf } from '../src/inbound/views.ts';
import { cancelPage } from '../src/pages/cancel-page.ts';
import { checkoutPage } from '../src/pages/checkout-page.ts';
import type { Html } from '../src/pages/html.ts';
import { orderPage } from '../src/pages/order-page.ts';
import { payPage } from '../src/pages/pay-page.ts';
import { thanksPage } from '../src/pages/thanks-page.ts';
import type { Frame, OrderView, Shop } from '../src/pages/view.ts';
import {
  byHand,
  cancelled,
  card,
  known,
  line,
  monthly,
  payment,
  renewingCart,
  renewingOrder,
  subscription,
  transfer,
  trial,
} from './wire.ts';

const now = new Date('2026-12-20T12:00:00Z');
const paidAt = new Date('2026-11-21T09:16:00Z');
const paid: Partial<Order> = {
  status: 'paid',
  fulfilmentStatus: 'delivered',
  paidAt,
  payment: payment('booked', { moneyMoved: 'yes', cardType: 'Visa', cardLast4: '4242' }),
  paymentMethods: [],
};
const renewal: Partial<Order> = {
  renewsSubscriptionId: subscription.id,
  payment: payment('', { paymentId: '', cardType: 'Visa', cardLast4: '4242' }),
};

export function renewalGallery(frameFor: (path: string) => Frame & { shop: Shop }): Readonly<Record<string, Html>> {
  const { locale } = frameFor('/');
  const checkout = (cart: Cart, entries: Partial<Entries> = {}, faults: readonly Fault[] = []) =>
    checkoutPage(
      frameFor('/checkout/c'),
      checkoutViewOf({
        cart,
        locale,
        entries: { ...noEntries, payment_method: 'CreditCard', ...entries },
        faults,
      }),
    );
  const viewOf = (order: Order, subscriptions: Subscription[] = []): OrderView => {
    const opened: OpenOrderResponse = {
      order,
      codes: [],
      shopName: '',
      supportEmail: '',
      supportUrl: '',
      subscriptions,
    };
    return orderViewOf(opened, order, locale, now);
  };
  const pay = (order: Order) => payPage(frameFor('/pay/1/t'), viewOf(order));
  const thanks = (order: Order) => thanksPage(frameFor('/thanks/1/t'), viewOf(order));
  const orderFrame = frameFor('/order/status/1/t');
  const shown = (more: Partial<Subscription>, terms = monthly) =>
    viewOf(renewingOrder(terms, known({ type: terms.type }), paid), [{ ...subscription, ...more }]);
  const order = (more: Partial<Subscription>, terms = monthly) => orderPage(orderFrame, shown(more, terms));
  const cancel = (more: Partial<Subscription>, terms = monthly) => {
    const view = shown(more, terms);
    const [first] = view.subscriptions;
    if (first === undefined) throw new Error('no subscription');
    return cancelPage(frameFor('/order/status/1/t/cancel/1_7'), view, first);
  };
  const several = renewingCart(monthly);
  const yearly = {
    ...monthly,
    period: 'P1Y',
    renewalPriceMinor: 12_000n,
    renewalAmountMinor: 12_000n,
    renewalPrice: 'current',
  };
  const bought = viewOf(renewingOrder(monthly, known(), paid), [
    { ...subscription, ...cancelled },
    {
      ...subscription,
      id: '1000001_8',
      productName: 'Forty Typefaces',
      period: 'P1Y',
      status: 'not paid',
      openOrderId: 5n,
    },
  ]);
  return {
    'checkout-renews': checkout(renewingCart(monthly), { auto_renew: true }),
    'checkout-renews-transfer': checkout(renewingCart(monthly), { auto_renew: true, payment_method: 'BankTransfer' }),
    'checkout-renews-off': checkout(renewingCart(monthly)),
    'checkout-implicit': checkout(renewingCart(monthly, { renewalConsent: 'implicit' })),
    'checkout-trial': checkout(renewingCart(trial), { auto_renew: true }),
    'checkout-trial-refused': checkout(renewingCart(trial), {}, [
      { field: 'payment_method', code: 'payment_method_not_supported' },
      { field: 'auto_renew', code: 'required' },
    ]),
    'checkout-by-hand': checkout(renewingCart(byHand)),
    'checkout-several': checkout({
      ...several,
      lines: [
        ...several.lines,
        {
          ...line,
          productId: '100002',
          name: 'Forty Typefaces',
          familyName: 'Foundry',
          quantity: 3,
          subscription: yearly,
        },
        {
          ...line,
          productId: '100003',
          name: 'Inkwell',
          familyName: '',
          priceMinor: 0n,
          amountMinor: 0n,
          subscription: trial,
        },
      ],
    }),
    'pay-renews': pay(renewingOrder(monthly)),
    'pay-renews-off': pay(renewingOrder(monthly, undefined, { autoRenew: false })),
    'pay-transfer': pay(renewingOrder(monthly, undefined, { paymentMethod: 'BankTransfer' })),
    'pay-transfer-only': pay(renewingOrder(byHand, undefined, { paymentMethods: [transfer] })),
    'pay-trial': pay(renewingOrder(trial)),
    'pay-child': pay(renewingOrder(monthly, known({ status: 'not paid', previousOrderId: 1n }), renewal)),
    'pay-child-failed': pay(
      renewingOrder(trial, known({ status: 'not paid', periods: 0, anchorOn: '2026-12-21' }), {
        ...renewal,
        payment: payment('failed', { reason: 'card_declined', cardLast4: '4242', cardType: 'Visa' }),
      }),
    ),
    'pay-child-by-hand': pay(
      renewingOrder(byHand, known({ type: 'PMR', period: 'P1Y', status: 'not paid' }), {
        ...renewal,
        isPaidByHand: true,
        payment: undefined,
      }),
    ),
    'pay-other-open': payPage(
      frameFor('/pay/1/t'),
      viewOf(renewingOrder(monthly, undefined, { payment: payment('created', { method: 'BankTransfer' }) })),
      'other_open',
    ),
    'pay-no-method': pay(renewingOrder(monthly, undefined, { paymentMethods: [] })),
    'thanks-renews': thanks(renewingOrder(monthly, known(), paid)),
    'thanks-current': thanks(renewingOrder(yearly, known({ period: 'P1Y' }), paid)),
    'thanks-trial': thanks(renewingOrder(trial, known({ type: 'AR_TRIAL', periods: 0 }), paid)),
    'thanks-by-hand': thanks(renewingOrder(byHand, known({ type: 'PMR' }), paid)),
    'thanks-once': thanks(renewingOrder(monthly, undefined, paid)),
    'thanks-child': thanks(renewingOrder(monthly, known({ term: 2 }), { ...renewal, ...paid })),
    'thanks-choice': thanks(renewingOrder(monthly)),
    'order-active': order({}),
    'order-trial': order({ isInTrial: true, type: 'AR_TRIAL' }, trial),
    'order-by-hand': order({ type: 'PMR', period: 'P1Y' }, byHand),
    'order-by-hand-open': order({ type: 'PMR', status: 'not paid', openOrderId: 5n, nextChargeAt: undefined }, byHand),
    'order-by-hand-cancelled': order({ ...cancelled, type: 'PMR', canRestore: false }, byHand),
    'order-not-paid': order({ status: 'not paid', openOrderId: 5n }),
    'order-last-try': order({ status: 'not paid', openOrderId: 5n, nextChargeAt: undefined }),
    'order-gone': order({ status: 'not paid', nextChargeAt: undefined }),
    'order-cancelled': order(cancelled),
    'order-ended': order({ ...cancelled, cancelledBy: 'merchant', canRestore: false }),
    'order-refunded': order({ ...cancelled, cancelledBy: 'refund' }),
    'order-changed': orderPage(orderFrame, bought, { changed: bought.subscriptions[0]?.changed ?? '' }),
    'order-refused': orderPage(orderFrame, bought, { refused: locale.words.renewal.refused.subscription_ended }),
    'order-not-said': orderPage(orderFrame, viewOf(renewingOrder(monthly, known(), paid))),
    'order-child': orderPage(orderFrame, viewOf(renewingOrder(monthly, known({ status: 'not paid' }), renewal))),
    'order-child-paid': orderPage(orderFrame, viewOf(renewingOrder(monthly, known(), { ...renewal, ...paid }))),
    cancel: cancel({}),
    'cancel-trial': cancel({ isInTrial: true, type: 'AR_TRIAL' }, trial),
    'cancel-not-paid': cancel({ status: 'not paid', openOrderId: 5n }),
    'cancel-by-hand': cancel({ type: 'PMR' }, byHand),
    'checkout-one-method': checkout(renewingCart(monthly, { paymentMethods: [card] }), { auto_renew: true }),
  };
}
