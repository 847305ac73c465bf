/** The pages of an order, open to whoever has its token: pay, thanks, state. The address decides nothing but which order. */
import { refusals, Refused } from '@tillstream/rpc/refusals';
import { canPay } from '../domain/phase.ts';
import { messagePage } from '../pages/message-page.ts';
import { orderPage } from '../pages/order-page.ts';
import { payPage, payPath, waitingPage, type PayNotice } from '../pages/pay-page.ts';
import { thanksPage } from '../pages/thanks-page.ts';
import { goTo, show, type Answer } from './answer.ts';
import type { RouteParts } from './clients.ts';
import { isPaymentPage } from './guard.ts';
import { keyOf, open, type Opened } from './opened.ts';
import { changedOf } from './subscription-routes.ts';
import type { Visit } from './visit.ts';

export async function showPay(visit: Visit, parts: RouteParts): Promise<Answer> {
  const opened = await open(visit, parts, { refresh: false, withCodes: false });
  return payAnswer(opened);
}

export async function beginPayment(visit: Visit, parts: RouteParts): Promise<Answer> {
  const key = keyOf(visit);
  // Empty = the one that was chosen when it was ordered.
  const paymentMethod = visit.form['payment_method'] ?? '';
  try {
    const begun = await parts.order.beginPayment({ ...key, paymentMethod });
    if (begun.redirectUrl === '') return goTo(`${payPath({ ...key, id: key.orderId.toString() })}/go`);
    return leaveFor(begun.redirectUrl, parts);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const status = refusals[error.code].http;
    switch (error.code) {
      case 'order_already_paid':
        return goTo(`/thanks/${key.orderId.toString()}/${key.token}`);
      case 'attempt_unresolved': {
        const { frame, view } = await open(visit, parts, { refresh: true, withCodes: false });
        // The live payment is known to have moved nothing: it is only in the way of another method.
        const isOther = view.phase === 'unfinished' && paymentMethod !== view.begunMethod;
        if (isOther) return payAnswer({ frame, view }, status, 'other_open');
        return payAnswer({ frame, view: { ...view, phase: canPay(view.phase) ? 'unknown' : view.phase } }, status);
      }
      case 'order_deleted':
      case 'payment_method_not_supported':
      case 'unavailable': {
        const told =
          error.code === 'order_deleted' ? undefined : error.code === 'unavailable' ? 'try_again' : 'method_gone';
        return payAnswer(await open(visit, parts, { refresh: false, withCodes: false }), status, told);
      }
      default:
        throw error;
    }
  }
}

/**
 * While the provider has not said where the customer pays. Asking again answers the live payment; it begins none where the
 * last one has ended.
 */
export async function goOn(visit: Visit, parts: RouteParts): Promise<Answer> {
  const { frame, view } = await open(visit, parts, { refresh: false, withCodes: false });
  if (view.phase !== 'unfinished' && view.paymentStatus !== 'created') return goTo(payPath(view));
  try {
    const begun = await parts.order.beginPayment({ ...keyOf(visit), paymentMethod: view.begunMethod });
    if (begun.redirectUrl !== '') return leaveFor(begun.redirectUrl, parts);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // Paid, deleted or unresolved in the meantime: the payment page says which.
    if (error.code !== 'unavailable') return goTo(payPath(view));
  }
  return show(waitingPage(frame, view));
}

export async function showThanks(visit: Visit, parts: RouteParts): Promise<Answer> {
  const { frame, view } = await open(visit, parts, { refresh: true, withCodes: true });
  return show(thanksPage(frame, view));
}

/** What a waiting page asks for: whether something has happened, and nothing else. */
export async function tellPhase(visit: Visit, parts: RouteParts): Promise<Answer> {
  const { view } = await open(visit, parts, { refresh: true, withCodes: false });
  return { type: 'json', body: { phase: view.phase } };
}

export async function showOrder(visit: Visit, parts: RouteParts): Promise<Answer> {
  const opened = await open(visit, parts, { refresh: false, withCodes: true });
  return show(orderPage(opened.frame, opened.view, { changed: changedOf(visit, opened) }));
}

function payAnswer({ frame, view }: Opened, status = 200, told?: PayNotice): Answer {
  if (view.phase === 'paid' || view.phase === 'delivered' || view.phase === 'confirming') {
    return goTo(`/thanks/${view.id}/${view.token}`);
  }
  if (view.phase === 'deleted') {
    return show(messagePage(frame, { told: frame.locale.words.thanks.deleted, tone: 'plain', icon: 'cross' }), 410);
  }
  return show(payPage(frame, view, told), status);
}

/** A provider that sends customers to an address nobody allowed is a fault of ours, not theirs. */
function leaveFor(url: string, { config }: RouteParts): Answer {
  if (!isPaymentPage(url, config.PAYMENT_PAGE_ORIGINS)) {
    throw new Error(
      `a payment page outside of PAYMENT_PAGE_ORIGINS: ${URL.canParse(url) ? new URL(url).origin : 'no address'}`,
    );
  }
  return goTo(url);
}
