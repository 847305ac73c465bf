/** The order page: everything about one order, open to whoever has its link. */
import { canPay, isOpen, type Phase } from '../domain/phase.ts';
import type { Locale } from '../words/locale.ts';
import { html, type Html } from './html.ts';
import { icons } from './icons.ts';
import { nothing, page, supportLink } from './layout.ts';
import { autorenewal, childNote } from './autorenewal.ts';
import { licences, notice, productName, termsOf, thumbnail } from './parts.ts';
import { failure, payNow, poll } from './pay-page.ts';
import type { Frame, ItemView, OrderView } from './view.ts';

export interface OrderTold {
  /** What a change of a subscription has made of it. */
  readonly changed?: string;
  /** Why it could not be changed. */
  readonly refused?: string;
}

export function orderPage(frame: Frame, order: OrderView, told: OrderTold = {}): Html {
  const { locale } = frame;
  const { words } = locale;
  const { phase } = order;
  const waits = isOpen(phase);
  const body = html`<div class="wide order" ${waits ? poll(order) : nothing}>
    <div class="head">
      <h1>${words.order.title(order.name)}</h1>
      <p class="badges">${badges(phase, locale)}</p>
      ${told.refused === undefined ? nothing : notice('problem', told.refused)} ${failure(frame, order)}
      ${phase === 'unknown' ? notice('problem', words.thanks.unknown.text) : nothing}
      ${phase === 'checking' ? notice('info', words.thanks.checking.text) : nothing}
      ${phase === 'deleted' ? notice('info', words.thanks.deleted.text) : nothing}
    </div>
    <div class="entries">
      ${phase === 'deleted' ? nothing : childNote(order, locale)}
      ${canPay(phase) ? payNow(order, order.isFreeNow ? words.thanks.goOn : `${words.order.payNow}: ${order.total}`, locale) : nothing}
      <section class="group card" aria-labelledby="items">
        <h2 id="items">${words.order.items}</h2>
        <ul class="lines">
          ${order.items.map((item) => itemLine(item, order, locale))}
        </ul>
        <dl class="sum">
          <div>
            <dt>${words.summary.total}</dt>
            <dd>${order.total}</dd>
          </div>
        </dl>
        <p class="hint">${words.summary.taxes}</p>
      </section>
      ${order.items.some((item) => item.codes.length > 0) ? html`<p class="hint">${words.order.licencePrivate}</p>` : nothing}
      ${autorenewal(order, told.changed ?? '', locale)}
    </div>
    <aside class="summary plain">
      <section>
        <h2>${words.order.payment}</h2>
        <dl class="facts">
          ${fact(words.order.state, paymentState(order, locale))} ${fact(words.order.method, order.method)}
          ${fact(words.order.placed, order.placedAt)} ${fact(words.order.paid, order.paidAt)}
        </dl>
      </section>
      ${help(frame, order)}
    </aside>
  </div>`;
  return page(frame, { title: words.order.title(order.name), body, ...(waits ? { refreshAfterS: 15 } : {}) });
}

function badges(phase: Phase, locale: Locale): Html {
  const { states } = locale.words.order;
  if (phase === 'deleted') return badge('plain', states.deleted);
  if (phase === 'delivered') return html`${badge('good', states.paid)} ${badge('good', states.delivered)}`;
  if (phase === 'paid') return html`${badge('good', states.paid)} ${badge('wait', states.preparing)}`;
  return badge('wait', states.unpaid);
}

function badge(tone: 'good' | 'wait' | 'plain', text: string): Html {
  return html`<span class="badge ${tone}">${tone === 'good' ? icons.check : nothing}${text}</span>`;
}

function itemLine(item: ItemView, order: OrderView, locale: Locale): Html {
  return html`<li class="line">
    ${thumbnail(item.name, '')}
    <div class="what">
      ${productName(item.name, item.family)}<span class="hint">${String(item.quantity)} × ${item.price}</span
      >${order.subscriptions.length === 0 ? termsOf(item.terms) : nothing}
    </div>
    <span class="amount">${item.amount}</span>
    <div class="given">${licenceOf(item, order, locale)}</div>
  </li>`;
}

function licenceOf(item: ItemView, order: OrderView, locale: Locale): Html {
  const { words } = locale;
  if (item.codes.length > 0) return licences(item, locale);
  if (order.phase === 'deleted') return nothing;
  if (order.phase !== 'paid' && order.phase !== 'delivered')
    return html`<p class="hint">${words.order.licenceAfterPayment}</p>`;
  return html`<p class="hint">${item.isDelivered ? words.order.licenceByMail : words.order.licencePreparing}</p>`;
}

function paymentState(order: OrderView, locale: Locale): string {
  const states: Readonly<Record<string, string>> = locale.words.order.paymentStates;
  const status = order.paymentStatus === '' ? 'none' : order.paymentStatus;
  return Object.hasOwn(states, status) ? (states[status] ?? '') : locale.words.order.paymentStates.processing;
}

function fact(name: string, value: string): Html {
  return value === ''
    ? nothing
    : html`<div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>`;
}

function help({ locale, shop }: Frame, order: OrderView): Html {
  const href = shop === undefined ? '' : supportLink(shop);
  if (shop === undefined || href === '') return nothing;
  return html`<section class="help">
    <h2>${locale.words.order.help}</h2>
    <p class="hint">${locale.words.order.helpText(order.name)}</p>
    <p><a href="${href}">${shop.supportEmail === '' ? locale.words.footer.support : shop.supportEmail}</a></p>
  </section>`;
}
