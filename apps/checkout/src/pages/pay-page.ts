/** The payment page of an order: what is to be paid, one button, and after a failure what happened and whether money moved. */
import { canPay, isOpen } from '../domain/phase.ts';
import { html, type Html } from './html.ts';
import { icons } from './icons.ts';
import { nothing, page } from './layout.ts';
import { notice, receipt, sign } from './parts.ts';
import { supportLine } from './message-page.ts';
import type { Frame, OrderView } from './view.ts';

export type PayNotice = 'method_gone' | 'try_again';

export function payPage(frame: Frame, order: OrderView, told?: PayNotice): Html {
  const { words } = frame.locale;
  const title = words.pay.title(order.name);
  // While an outcome is open there is nothing to do here but wait.
  const held =
    order.phase === 'unknown' ? words.pay.unresolved : order.phase === 'checking' ? words.thanks.checking : undefined;
  const body = html`<div class="head">
      ${held === undefined ? nothing : sign('wait', order.phase === 'unknown' ? 'question' : 'clock')}
      <h1>${held?.title ?? title}</h1>
      <p class="lead">${held?.text ?? words.pay.lead}</p>
      ${told === undefined ? nothing : notice('problem', told === 'method_gone' ? words.pay.methodGone : words.pay.tryAgain)}
      ${failure(frame, order)}
    </div>
    ${held !== undefined ? html`<div class="entries">${supportLine(frame, order.name)}</div>` : nothing}
    ${canPay(order.phase) ? html`<div class="entries">${payForm(frame, order)}</div>` : nothing}
    <aside class="summary plain">${receipt(order, frame.locale)}</aside>`;
  return page(frame, {
    title: held?.title ?? title,
    body: html`<div class="wide pay" ${isOpen(order.phase) ? poll(order) : nothing}>${body}</div>`,
    step: 'payment',
    ...(held === undefined ? {} : { refreshAfterS: 15 }),
  });
}

/** What the script of a waiting page needs: where to ask, and what the page knows already. */
export function poll(order: OrderView): Html {
  return html` data-phase="${order.phase}" data-poll="/thanks/${order.id}/${order.token}/status"`;
}

/** Seed 001: say what happened, whether money moved, and that the same order can be tried again. */
export function failure({ locale }: Frame, order: OrderView): Html {
  const { words } = locale;
  if (order.phase === 'failed') {
    return html`<div class="notice problem" role="status">
      ${icons.alert}
      <p><strong>${order.reason}</strong> ${order.money}</p>
    </div>`;
  }
  if (order.phase === 'expired' || order.phase === 'withdrawn') {
    return html`<div class="notice info" role="status">
      ${icons.info}
      <p><strong>${words.thanks[order.phase].title}.</strong> ${order.money}</p>
    </div>`;
  }
  return nothing;
}

function payForm(frame: Frame, order: OrderView): Html {
  const { words } = frame.locale;
  return html`<form class="group card" method="post" action="${payPath(order)}" data-once>
    <p class="method">${icons.card} <span>${words.checkout.card}</span></p>
    <p class="hint">${words.pay.hint}</p>
    <button class="primary" name="payment_method" value="CreditCard">${words.pay.button(order.total)}</button>
    <p class="hint under">${words.pay.ready}</p>
  </form>`;
}

/** While the provider has not yet said where the customer pays. */
export function waitingPage(frame: Frame, order: OrderView): Html {
  const { words } = frame.locale;
  const { title, text } = words.pay.waiting;
  const body = html`<section class="told" data-reload-after="1000">
    ${sign('wait', 'clock')}
    <h1>${title}</h1>
    <p class="lead" role="status">${text}</p>
    <p><a class="button" href="${frame.path}">${words.pay.checkAgain}</a></p>
    ${supportLine(frame, order.name)}
  </section>`;
  return page(frame, { title, body, step: 'payment', isNarrow: true, refreshAfterS: 2 });
}

export function payPath(order: { readonly id: string; readonly token: string }): string {
  return `/pay/${order.id}/${order.token}`;
}
