/** Pieces that several pages show. */
import type { Locale } from '../words/locale.ts';
import { html, raw, type Html } from './html.ts';
import { icons, type IconName } from './icons.ts';
import { nothing } from './layout.ts';
import type { ItemView, OrderView } from './view.ts';

export type Tone = 'good' | 'wait' | 'bad' | 'plain';

/** The big sign at the head of a page that says how something ended. */
export function sign(tone: Tone, icon: IconName): Html {
  return html`<div class="sign ${tone}" aria-hidden="true">${icons[icon]}</div>`;
}

export function notice(tone: 'info' | 'problem', text: string): Html {
  return html`<div class="notice ${tone}" role="${tone === 'problem' ? 'alert' : 'status'}">
    ${tone === 'problem' ? icons.alert : icons.info}
    <p>${text}</p>
  </div>`;
}

/** A picture of the product, or a quiet tile with its first letter. */
export function thumbnail(name: string, imageUrl: string): Html {
  // As people count letters; more than a few code points are never one.
  const [first] = new Intl.Segmenter().segment(name.trim().slice(0, 20));
  const letter = first?.segment.toLocaleUpperCase() ?? '·';
  if (imageUrl !== '') {
    return html`<img
      class="thumb"
      data-letter="${letter}"
      src="${imageUrl}"
      alt=""
      width="64"
      height="64"
      loading="lazy"
      decoding="async"
      referrerpolicy="no-referrer"
    />`;
  }
  return html`<span class="thumb tile" aria-hidden="true">${letter}</span>`;
}

export function productName(name: string, family: string): Html {
  // "Quill Editor" need not be followed by "Quill".
  return html`<bdi class="product">${name}</bdi
    >${family === '' || name.startsWith(family) ? nothing : html`<bdi class="family">${family}</bdi>`}`;
}

/** How a product renews. */
export function termsOf(terms: string): Html {
  return terms === '' ? nothing : html`<p class="terms">${terms}</p>`;
}

/** What an ordered cart holds, to be read only. */
export function receipt(order: OrderView, locale: Locale): Html {
  const { words } = locale;
  return html`<section class="receipt" aria-labelledby="receipt-title">
    <h2 id="receipt-title">${words.summary.title}</h2>
    <ul class="lines">
      ${order.items.map((item) => receiptLine(item))}
    </ul>
    <dl class="sum">
      <div>
        <dt>${words.summary.total}</dt>
        <dd>${order.total}</dd>
      </div>
    </dl>
    <p class="hint">${words.summary.taxes}</p>
  </section>`;
}

function receiptLine(item: ItemView): Html {
  return html`<li class="line">
    ${thumbnail(item.name, '')}
    <div class="what">
      ${productName(item.name, item.family)}<span class="hint">${String(item.quantity)} × ${item.price}</span
      >${termsOf(item.terms)}
    </div>
    <span class="amount">${item.amount}</span>
  </li>`;
}

/** Codes as text to select; the script adds a button to copy each. */
export function licences(item: ItemView, locale: Locale): Html {
  const { words } = locale;
  if (item.codes.length === 0) return nothing;
  return html`<div class="licences">
    <h3>${icons.key} ${words.order.licences(item.codes.length)}</h3>
    <ul>
      ${item.codes.map(
        (code) =>
          html`<li>
            <code class="code" translate="no">${code}</code
            ><button
              class="copy"
              type="button"
              hidden
              data-copy="${code}"
              data-done="${words.order.copied}"
              aria-label="${words.order.copyOf(code)}"
            >
              ${words.order.copy}
            </button>
          </li>`,
      )}
    </ul>
  </div>`;
}

export function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`;
}

export function attribute(name: string, isSet: boolean): Html {
  return isSet ? raw(` ${name}`) : nothing;
}
