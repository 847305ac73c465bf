/** The thank-you page: the state on the server in words (seed 001). It waits by itself while the state is open. */
import { canPay, isOpen, stepOf, type Phase } from '../domain/phase.ts';
import type { Told, Words } from '../words/en.ts';
import { html, type Html } from './html.ts';
import { icons, type IconName } from './icons.ts';
import { nothing, page } from './layout.ts';
import { supportLine } from './message-page.ts';
import { licences, receipt, sign, type Tone } from './parts.ts';
import { payPath, poll } from './pay-page.ts';
import type { Frame, OrderView } from './view.ts';

// A customer without a script who reads the page should not lose it under the eyes too often.
const refreshAfterS = 5;

const looks: Record<Phase, readonly [Tone, IconName]> = {
  unpaid: ['plain', 'card'],
  unfinished: ['plain', 'card'],
  checking: ['wait', 'clock'],
  confirming: ['good', 'check'],
  unknown: ['wait', 'question'],
  failed: ['bad', 'cross'],
  expired: ['plain', 'clock'],
  withdrawn: ['plain', 'cross'],
  paid: ['good', 'check'],
  delivered: ['good', 'check'],
  deleted: ['plain', 'cross'],
};

export function thanksPage(frame: Frame, order: OrderView): Html {
  const { words } = frame.locale;
  const { phase } = order;
  const told = toldOf(order, words);
  const [tone, icon] = looks[phase];
  const waits = isOpen(phase);
  const body = html`<div class="wide thanks" ${waits ? poll(order) : nothing}>
    <div class="head told">
      ${sign(tone, icon)}
      <h1>${told.title}</h1>
      ${phase === 'failed' ? html`<p class="lead"><strong>${order.reason} ${order.money}</strong></p>` : nothing}
      <p class="lead">${told.text}</p>
      ${phase === 'expired' || phase === 'withdrawn' ? html`<p class="lead"><strong>${order.money}</strong></p>` : nothing}
      <p class="hint">
        ${words.order.title(order.name)}${waits && phase !== 'unfinished' ? html` · <span class="pulse" aria-hidden="true"></span>${words.thanks.waiting}` : nothing}
      </p>
    </div>
    <div class="entries">
      ${canPay(phase) ? retry(order, words) : nothing}
      ${order.items.map((item) =>
        item.codes.length === 0
          ? nothing
          : html`<section class="group card">
              <h2><bdi>${item.name}</bdi></h2>
              ${licences(item, frame.locale)}
            </section>`,
      )}
      ${phase === 'paid' || phase === 'delivered' || phase === 'confirming' ? next(order, words) : nothing}
      ${phase === 'deleted' ? nothing : html`<p class="after"><a class="${canPay(phase) ? 'plain-link' : 'button'}" href="/order/status/${order.id}/${order.token}">${words.thanks.orderPage}</a></p>`}
      ${supportLine(frame, order.name)}
    </div>
    <aside class="summary plain">${receipt(order, frame.locale)}</aside>
  </div>`;
  return page(frame, { title: told.title, body, step: stepOf(phase), ...(waits ? { refreshAfterS } : {}) });
}

function toldOf(order: OrderView, words: Words): Told {
  if (order.phase !== 'delivered') return words.thanks[order.phase];
  return order.items.some((item) => item.codes.length > 0) ? words.thanks.delivered : words.thanks.deliveredElsewhere;
}

function retry(order: OrderView, words: Words): Html {
  const text = order.phase === 'unpaid' || order.phase === 'unfinished' ? words.thanks.goOn : words.thanks.retry;
  return html`<form method="post" action="${payPath(order)}" data-once>
    <button class="primary" name="payment_method" value="CreditCard">${text}</button>
  </form>`;
}

function next(order: OrderView, words: Words): Html {
  return html`<section class="next">
    <h2>${words.thanks.whatNext}</h2>
    <ul>
      <li>
        ${icons.mail}<span
          >${order.email === '' ? words.thanks.nextMailPlain : words.thanks.nextMail(order.email)}</span
        >
      </li>
      <li>${icons.page}<span>${words.thanks.nextPage}</span></li>
      <li>${icons.info}<span>${words.thanks.nextSpam}</span></li>
    </ul>
  </section>`;
}
