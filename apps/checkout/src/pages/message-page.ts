/** Pages that say one thing: not found, refused, empty, out of order. */
import type { Told } from '../words/en.ts';
import { html, type Html } from './html.ts';
import type { IconName } from './icons.ts';
import { nothing, page, supportLink } from './layout.ts';
import { sign, type Tone } from './parts.ts';
import type { Frame } from './view.ts';

export interface MessageParts {
  readonly told: Told;
  readonly tone: Tone;
  readonly icon: IconName;
  readonly link?: { readonly href: string; readonly text: string };
  /** What support needs to find the matter. */
  readonly reference?: string;
}

export function messagePage(frame: Frame, parts: MessageParts): Html {
  const { words } = frame.locale;
  const body = html`<section class="told">
    ${sign(parts.tone, parts.icon)}
    <h1>${parts.told.title}</h1>
    <p class="lead">${parts.told.text}</p>
    ${
      parts.reference === undefined
        ? nothing
        : html`<p class="hint">${words.failed.reference}: <code>${parts.reference}</code></p>`
    }${parts.link === undefined ? nothing : html`<p><a class="button" href="${parts.link.href}">${parts.link.text}</a></p>`}${supportLine(frame)}
  </section>`;
  return page(frame, { title: parts.told.title, body, isNarrow: true });
}

/** How to reach somebody, where the shop said how. */
export function supportLine({ locale, shop }: Frame, orderName?: string): Html {
  const href = shop === undefined ? '' : supportLink(shop);
  if (href === '') return nothing;
  return html`<p class="hint help">
    <a href="${href}">${locale.words.footer.support}</a
    >${orderName === undefined ? nothing : html` · ${locale.words.order.helpText(orderName)}`}
  </p>`;
}
