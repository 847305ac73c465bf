/** The thank-you page: the state on the server in words (seed 001). It waits by itself while the state is open. */
import { canPay, isOpen, stepOf, type Phase } from '../domain/phase.ts';
import type { Told, Words } from '../words/en.ts';
import { html, type Html } from './html.ts';
import { icons, type IconName } from './icons.ts';
import { nothing, page } from './layout.ts';
import { supportLine } from './message-page.ts';
import { childNote } from './autorenewal.ts';
import { licences, receipt, sign, type Tone } from './parts.ts';
import { payNow, poll } from './pay-page.ts';
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
      ${phase === 'deleted' ? nothing : childNote(order, frame.locale)}
      ${canPay(phase) ? payNow(order, phase === 'unpaid' || phase === 'unfinished' ? words.thanks.goOn : words.thanks.retry, frame.locale) : nothing}
      ${order.items.map((item) =>
        item.codes.length === 0
          ? nothing
          : html`<section class="group card">
              <h2><bdi>${item.name}</bdi></h2>
              ${licences(item, frame.locale)}
            </section>`,
      )}
      ${goesOn(order, words)}
      ${phase === 'paid' || phase === 'delivered' || phase === 'confirming' ? next(order, words) : nothing}
      ${phase === 'deleted' ? nothing : html`<p class="after"><a class="${canPay(phase) ? 'plain-link' : 'button'}" href="/order/status/${order.id}/${order.token}">${words.thanks.orderPage}</a></p>`}
      ${supportLine(frame, order.name)}
    </div>
    <aside class="summary plain">${receipt(order, frame.locale)}</aside>
  </div>`;
  return page(frame, { title: told.title, body, step: stepOf(phase), ...(waits ? { refreshAfterS } : {}) });
}

function toldOf(order: OrderView, words: Words): Told {
  const { free } = words.renewal.thanks;
  if (order.phase === 'paid' && order.isFreeNow) return { ...words.thanks.paid, text: free.paid };
  if (order.phase !== 'delivered') return words.thanks[order.phase];
  const told = order.items.some((item) => item.codes.length > 0)
    ? words.thanks.delivered
    : words.thanks.deliveredElsewhere;
  return order.isFreeNow ? { ...told, text: free.delivered } : told;
}

/** How what was bought goes on, and where that is changed. */
function goesOn(order: OrderView, { renewal }: Words): Html {
  if (order.goesOn.length === 0) return nothing;
  return html`<section class="group card" aria-labelledby="goes-on">
    <h2 class="with-icon" id="goes-on">${icons.repeat} ${renewal.thanks.title}</h2>
    ${order.goesOn.map((text) => html`<p>${text}</p>`)}
    ${order.manageAt === '' ? nothing : html`<p><a href="${order.manageAt}">${renewal.thanks.manage}</a></p>`}
  </section>`;
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
