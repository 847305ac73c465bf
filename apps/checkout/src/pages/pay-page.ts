/** The payment page of an order: what is to be paid, one button, and after a failure what happened and whether money moved. */
import { canPay, isOpen } from '../domain/phase.ts';
import type { Words } from '../words/en.ts';
import type { Locale } from '../words/locale.ts';
import { html, type Html } from './html.ts';
import { icons } from './icons.ts';
import { nothing, page } from './layout.ts';
import { childNote } from './autorenewal.ts';
import { hidden, notice, receipt, sign } from './parts.ts';
import { supportLine } from './message-page.ts';
import { methodChoices, methodIcon, payConsent } from './renewal-parts.ts';
import type { Frame, OrderView } from './view.ts';

export type PayNotice = 'method_gone' | 'try_again' | 'other_open';

export function payPage(frame: Frame, order: OrderView, told?: PayNotice): Html {
  const { words } = frame.locale;
  const title = words.pay.title(order.name);
  // While an outcome is open there is nothing to do here but wait.
  const held =
    order.phase === 'unknown' ? words.pay.unresolved : order.phase === 'checking' ? words.thanks.checking : undefined;
  const body = html`<div class="head">
      ${held === undefined ? nothing : sign('wait', order.phase === 'unknown' ? 'question' : 'clock')}
      <h1>${held?.title ?? title}</h1>
      ${lead(held?.text ?? leadOf(order, words))}
      ${told === undefined ? nothing : notice('problem', noticeText(told, order, words))} ${failure(frame, order)}
    </div>
    ${held !== undefined ? html`<div class="entries">${supportLine(frame, order.name)}</div>` : nothing}
    ${canPay(order.phase) ? html`<div class="entries">${childNote(order, frame.locale)} ${payForm(frame, order)}</div>` : nothing}
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

function noticeText(told: PayNotice, order: OrderView, { pay, renewal }: Words): string {
  switch (told) {
    case 'method_gone':
      return pay.methodGone;
    case 'try_again':
      return pay.tryAgain;
    case 'other_open':
      return renewal.pay.otherOpen(
        order.methods.find(({ code }) => code === order.begunMethod)?.name ?? order.method,
        order.expiryMinutes,
      );
  }
}

function leadOf(order: OrderView, { pay, renewal }: Words): string {
  // Nobody placed a renewal's order: what it is for is said under its title.
  if (order.child !== undefined) return '';
  return order.isFreeNow ? renewal.pay.lead : pay.lead;
}

function lead(text: string): Html {
  return text === '' ? nothing : html`<p class="lead">${text}</p>`;
}

function payForm(frame: Frame, order: OrderView): Html {
  const { locale } = frame;
  const { renewal, pay } = locale.words;
  const [only, ...others] = order.methods;
  if (only === undefined) return notice('problem', renewal.methods.none);
  const isCard = only.kind === 'card';
  const one = html`<p class="method">${methodIcon(only.kind)} <span>${only.name}</span></p>
    <p class="hint">${order.isFreeNow ? renewal.pay.hintTrial : isCard ? pay.hint : only.hint}</p>
    ${only.note === '' ? nothing : html`<p class="hint">${only.note}</p>`}${hidden('payment_method', only.code)}`;
  const choice = html`<fieldset class="group" role="radiogroup">
    <legend>${renewal.pay.choose}</legend>
    ${methodChoices(order.methods, order.chosenMethod, locale)}
  </fieldset>`;
  const text = order.isFreeNow
    ? renewal.pay.buttonTrial(order.total)
    : others.length === 0 && isCard
      ? pay.button(order.total)
      : renewal.pay.button(order.total);
  return html`<form
    class="group ${others.length === 0 ? 'card' : ''}"
    method="post"
    action="${payPath(order)}"
    data-once
  >
    ${others.length === 0 ? one : choice} ${payConsent(order.consent, locale)}
    <button class="primary">${text}</button>
    <p class="hint under">
      ${isCard && others.length === 0 && order.consent === undefined ? pay.ready : renewal.pay.ready}
    </p>
  </form>`;
}

/**
 * What other pages offer to pay with: a button that goes straight on with the method that was chosen, and the way to
 * another one. A renewal is paid on its payment page, which says what happens to the card.
 */
export function payNow(order: OrderView, label: string, { words }: Locale): Html {
  if (order.child !== undefined) return html`<p><a class="primary" href="${payPath(order)}">${label}</a></p>`;
  return html`<form class="pay-now" method="post" action="${payPath(order)}" data-once>
    <button class="primary" name="payment_method" value="${order.chosenMethod}">${label}</button>
    ${order.methods.length < 2 ? nothing : html`<p><a href="${payPath(order)}">${words.renewal.pay.other}</a></p>`}
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
