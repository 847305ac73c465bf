/** English, about what renews. */

function durationText(minutes: number): string {
  if (minutes % 60 !== 0) return `${minutes} minutes`;
  return minutes === 60 ? 'an hour' : `${minutes / 60} hours`;
}

export const renewalEn = {
  /** How often: after a sum. */
  every: {
    days: (count: number) => (count === 1 ? 'every day' : `every ${count} days`),
    weeks: (count: number) => (count === 1 ? 'every week' : `every ${count} weeks`),
    months: (count: number) => (count === 1 ? 'every month' : `every ${count} months`),
    years: (count: number) => (count === 1 ? 'every year' : `every ${count} years`),
  },
  /** How long. */
  span: {
    days: (count: number) => (count === 1 ? 'one day' : `${count} days`),
    weeks: (count: number) => (count === 1 ? 'one week' : `${count} weeks`),
    months: (count: number) => (count === 1 ? 'one month' : `${count} months`),
    years: (count: number) => (count === 1 ? 'one year' : `${count} years`),
  },
  terms: {
    renews: (sum: string, every: string) => `${sum} ${every}`,
    trial: (span: string, sum: string, every: string) => `Free for ${span}, then ${sum} ${every}, until you cancel`,
    byHand: (sum: string, span: string) =>
      `${sum} for ${span}. We will send you an order to pay before it ends. Nothing is charged by itself.`,
    mayChange: 'The price may change: we tell you the new sum by email before it is charged.',
    untilCancelled: (terms: string) => `${terms}, until you cancel.`,
  },
  charged: {
    again: (days: number) =>
      `Charged again for the first time ${days === 1 ? '1 day' : `${days} days`} before the time that you pay for now ends.`,
    afterTrial: (days: number) =>
      `Charged for the first time ${days === 1 ? '1 day' : `${days} days`} before the free time ends.`,
  },
  consent: {
    title: 'Automatic renewal',
    agree: 'Yes, renew it automatically until I cancel',
    implicit: 'With your order you agree that it renews automatically until you cancel:',
    cancel: 'You can cancel at any time on the order page. You keep what you have paid for until its end.',
    card: 'The payment provider keeps your card for these charges.',
    without: 'Without the tick you buy one term, and nothing renews by itself.',
    withoutTrial: 'Without the tick there is no free trial.',
  },
  methods: {
    // By the text keys of the catalogue of payment methods (apps/payment/src/domain/methods.ts).
    texts: {
      card: {
        name: 'Credit or debit card',
        hint: 'You enter the card on the payment provider’s own page. We never see its number.',
      },
      transfer: { name: 'Bank transfer', hint: 'You confirm the transfer on the payment provider’s own page.' },
    },
    cannotRenew: 'With this method nothing renews by itself: you buy one term.',
    thisTerm: 'You pay this term only. Later renewals are still charged to the card that is kept.',
    none: 'No payment method is available now. Please try again later or contact support.',
  },
  outcome: {
    renews: 'You start a subscription. It renews by itself until you cancel.',
    once: 'You buy one term. No subscription begins, and nothing renews by itself.',
    noTrial: 'The free trial begins only with your agreement to the renewal.',
  },
  place: {
    trial: (now: string, terms: string) => `Order with obligation to pay: ${now} now, then ${terms}`,
    trials: (now: string) => `Order with obligation to pay: ${now} now, later charges as listed`,
    hint: 'With this button you place a binding order. Nothing is charged now. In the next step you give the card for the later charges.',
  },
  pay: {
    ready: 'If it does not work, you can try again with the same order.',
    lead: 'Your order is placed. One step is left.',
    choose: 'How would you like to pay?',
    button: (sum: string) => `Pay ${sum}`,
    buttonTrial: (sum: string) => `Pay ${sum} now and save the card`,
    hintTrial:
      'Nothing is charged now. You go to the payment provider’s page, enter your card there and come back here.',
    saved: 'If you pay by card, the payment provider keeps it and it is charged again until you cancel:',
    savedTrial: 'The payment provider keeps your card, and it is charged until you cancel:',
    newCard: 'If you pay by card, the payment provider keeps it and later renewals are charged to this card:',
    once: 'You buy one term. Nothing renews by itself.',
    other: 'Pay another way',
    otherOpen: (method: string, minutes: number) =>
      `You have begun to pay by another method: ${method}. Please go on with that one. If you leave it, it ends by itself ${minutes === 0 ? 'soon' : `within ${durationText(minutes)}`}, and you can choose again. No money was taken.`,
  },
  child: {
    title: 'This order renews your subscription',
    extends: (product: string, end: string, until: string) =>
      `${product} is paid until ${end}. With this order it is paid until ${until}.`,
    extended: (product: string, until: string) => `${product} is paid until ${until}.`,
    link: 'Go to your subscription',
  },
  section: {
    title: (count: number) => (count === 1 ? 'Your subscription' : `Your ${count} subscriptions`),
    states: { active: 'Active', trial: 'Free trial', notPaid: 'Not paid', cancelled: 'Cancelled' },
    renews: 'It renews by itself until you cancel.',
    trial: 'The trial is free. Then it renews by itself until you cancel.',
    byHand:
      'You pay each term yourself: before this one ends we send you an order by email. Nothing is charged by itself.',
    open: 'The next term is not paid yet. We have mailed you the link to pay it.',
    tryAgain:
      'The next term is not paid yet. If a charge has failed, we have mailed you a link to pay it, and we will try again.',
    noTry:
      'The next term is not paid, and no further charge is planned. To go on, pay it with the link that we have mailed you.',
    gone: 'The next term was not paid, and its order was deleted.',
    cancelled: 'It does not renew any more. Nothing further is charged.',
    cancelledBySeller: 'The seller has cancelled it. It does not renew any more, and nothing further is charged.',
    cancelledByRefund: 'It was cancelled with the refund. It does not renew any more, and nothing further is charged.',
    notRestorable: 'It cannot be restored. To go on, order the product again.',
    unavailable: 'It cannot be changed at this moment. Please open this page again in a minute.',
    accessUntil: 'Access until',
    nextCharge: 'Next charge',
    nextOrder: 'Next order to pay',
    cancelledOn: 'Cancelled on',
    onDay: (sum: string, day: string) => `${sum} on ${day}`,
    price: 'Price',
    cancel: 'Cancel',
    restore: 'Restore',
    of: (product: string) => `the subscription to ${product}`,
  },
  changed: {
    cancelled: (product: string, day: string) =>
      `The subscription to ${product} is cancelled. You keep access until ${day}.`,
    active: (product: string) => `The subscription to ${product} goes on.`,
    notPaid: (product: string) => `The subscription to ${product} goes on as soon as the next term is paid.`,
  },
  refused: {
    restore_not_supported:
      'A subscription that you pay yourself cannot be restored. To go on, order the product again.',
    subscription_ended: 'The paid time is over, so it cannot be restored. To go on, order the product again.',
    unavailable: 'A part of the shop does not answer. Nothing was changed. Please try again in a moment.',
  },
  cancelling: {
    title: (product: string) => `Cancel the subscription to ${product}?`,
    lead: 'This is what happens:',
    noCharges: 'There are no further charges, from now on.',
    noOrders: 'We send you no further orders to pay.',
    access: (day: string) => `You keep access until ${day}.`,
    freeAccess: (day: string) => `You keep the free access until ${day}, and pay nothing.`,
    paidAccess: (day: string) => `The access that is paid for: until ${day}.`,
    underWay: 'A payment that is under way already may still go through. You then have that term, too.',
    restorable: 'Until then you can restore it on the order page.',
    notRestorable: 'It cannot be restored later. To go on, you would order the product again.',
    confirm: 'Cancel the subscription',
    back: 'Keep the subscription',
  },
  thanks: {
    title: 'How it goes on',
    renews: (product: string, day: string, terms: string) =>
      `${product} renews by itself. The next charge is on ${day}: ${terms}, until you cancel.`,
    trial: (product: string, end: string, day: string, terms: string) =>
      `${product} is free until ${end}. The first charge is on ${day}: ${terms}, until you cancel.`,
    byHand: (product: string, end: string) =>
      `${product} is paid until ${end}. Before that we send you an order to pay. Nothing is charged by itself.`,
    ends: (product: string, end: string) => `${product} is paid until ${end} and does not renew any more.`,
    once: (product: string) => `${product} does not renew by itself: you have bought one term.`,
    free: {
      paid: 'Your card is saved, and nothing was charged. We are preparing your licence, and it appears here in a moment.',
      delivered: 'Your card is saved, and nothing was charged. Your order is complete.',
    },
    manage: 'See or cancel it on the order page',
  },
};

export type RenewalWords = typeof renewalEn;
