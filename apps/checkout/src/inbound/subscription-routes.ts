/** The customer's cancel and restore, on the page of the parent order. Both may be sent twice and change nothing then. */
import { refusals, Refused } from '@tillstream/rpc/refusals';
import { cancelPage } from '../pages/cancel-page.ts';
import { orderPage } from '../pages/order-page.ts';
import type { SubscriptionView } from '../pages/renewal-view.ts';
import type { Words } from '../words/en.ts';
import { goTo, show, type Answer } from './answer.ts';
import type { RouteParts } from './clients.ts';
import { keyOf, open, orderPath, type Opened } from './opened.ts';
import { sectionId } from './subscription-views.ts';
import type { Visit } from './visit.ts';

const idForm = /^\d{1,19}_\d{1,19}$/;

/** Asks once more, and says what follows. */
export async function askToCancel(visit: Visit, parts: RouteParts): Promise<Answer> {
  const { frame, view } = await open(visit, parts, { refresh: false, withCodes: false });
  const subscription = subscriptionOf(visit.params['subscription'], view.subscriptions);
  if (!subscription.canCancel) {
    // Cancelled already: the order page says so. Else nobody knows it at this moment.
    if (subscription.changed !== '') return goTo(changedPath(view, subscription.id));
    throw new Refused('unavailable');
  }
  return show(cancelPage(frame, view, subscription));
}

export async function changeSubscription(visit: Visit, parts: RouteParts): Promise<Answer> {
  const key = keyOf(visit);
  const subscriptionId = visit.form['subscription_id'] ?? '';
  const action = visit.form['action'] ?? '';
  if (!idForm.test(subscriptionId)) throw new Refused('subscription_not_found');
  if (action !== 'cancel' && action !== 'restore') throw new Refused('invalid_request');
  try {
    await parts.order.changeSubscription({ ...key, subscriptionId, action });
    return goTo(changedPath({ id: key.orderId.toString(), token: key.token }, subscriptionId));
  } catch (error) {
    if (!(error instanceof Refused) || !isSaid(error.code)) throw error;
    const { frame, view } = await open(visit, parts, { refresh: false, withCodes: true });
    return show(orderPage(frame, view, { refused: frame.locale.words.renewal.refused[error.code] }), statusOf(error));
  }
}

/** Where a change was refused, the page stands at this address: another language, or once more, is the order page. */
export async function backToOrder(visit: Visit): Promise<Answer> {
  const { orderId, token } = keyOf(visit);
  return goTo(`${orderPath({ id: orderId.toString(), token })}#${sectionId}`);
}

/** What is said after a change is read from what the subscription is now; the address only names which one. */
export function changedOf(visit: Visit, { view }: Opened): string {
  const id = visit.query['changed'];
  return view.subscriptions.find((each) => each.id === id)?.changed ?? '';
}

function changedPath(order: { readonly id: string; readonly token: string }, subscriptionId: string): string {
  return `${orderPath(order)}?changed=${subscriptionId}#${sectionId}`;
}

function subscriptionOf(id: string | undefined, subscriptions: readonly SubscriptionView[]): SubscriptionView {
  const found = subscriptions.find((each) => each.id === id);
  if (found === undefined) throw new Refused('subscription_not_found');
  return found;
}

function isSaid(code: string): code is keyof Words['renewal']['refused'] {
  return code === 'restore_not_supported' || code === 'subscription_ended' || code === 'unavailable';
}

function statusOf(error: Refused): number {
  return refusals[error.code].http;
}
