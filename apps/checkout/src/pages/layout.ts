/** What stands around every page: head, header with the three steps, footer with policies, support and language. */
import { languages, readLocale, type Locale } from '../words/locale.ts';
import { html, raw, type Html } from './html.ts';
import { icons } from './icons.ts';
import type { Frame, Shop } from './view.ts';

export const nothing: Html = html``;

export type Step = 'details' | 'payment' | 'done';

export interface PageParts {
  readonly title: string;
  readonly body: Html;
  readonly step?: Step;
  /** Seconds after which the page asks again where there is no script. */
  readonly refreshAfterS?: number;
  /** The form that a change of language submits, so that nothing that was entered is lost. */
  readonly languageForm?: string;
  /** The one thing that the page is about, in the middle. */
  readonly isNarrow?: boolean;
}

const favicon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='9' fill='%230c5c50'/%3E%3Cpath d='M9 17l5 5 9-11' fill='none' stroke='%23fff' stroke-width='3.5' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

export function page(frame: Frame, parts: PageParts): Html {
  const { locale, shop } = frame;
  const { words } = locale;
  const refresh =
    parts.refreshAfterS === undefined
      ? nothing
      : html`<noscript><meta http-equiv="refresh" content="${parts.refreshAfterS}" /></noscript>`;
  return html`<!doctype html>
    <html lang="${locale.tag}" dir="${locale.direction}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex,nofollow" />
        <title>${parts.title}${shop === undefined ? '' : ` · ${shop.name}`}</title>
        <link rel="icon" href="${raw(favicon)}" />
        <link rel="stylesheet" href="${frame.assets.style}" nonce="${frame.nonce}" />
        <script type="module" src="${frame.assets.script}" nonce="${frame.nonce}"></script>
        ${refresh}
      </head>
      <body>
        <a class="skip" href="#main">${words.skip}</a>
        <header class="top">
          ${frame.isTest ? html`<p class="ribbon">${words.testMode}</p>` : nothing}
          <div class="bar">
            <p class="brand">${shop === undefined ? words.secure : html`<bdi>${shop.name}</bdi>`}</p>
            ${parts.step === undefined ? nothing : steps(locale, parts.step)}
            <p class="safe">${icons.lock} <span>${words.secure}</span></p>
          </div>
        </header>
        <main id="main" class="${parts.isNarrow === true ? 'narrow' : 'wide'}" tabindex="-1">${parts.body}</main>
        ${footer(frame, parts.languageForm)}
      </body>
    </html>`;
}

function steps(locale: Locale, now: Step): Html {
  const { words } = locale;
  const order: readonly Step[] = ['details', 'payment', 'done'];
  const at = order.indexOf(now);
  return html`<ol class="steps" aria-label="${words.steps.label}">
    ${order.map(
      (step, index) =>
        html`<li
          class="${index < at ? 'past' : index === at ? 'now' : 'next'}"
          ${step === now ? raw(' aria-current="step"') : ''}
        >
          <span class="dot" aria-hidden="true">${index < at || now === 'done' ? icons.check : String(index + 1)}</span
          ><span>${words.steps[step]}</span>
        </li>`,
    )}
  </ol>`;
}

function footer(frame: Frame, languageForm: string | undefined): Html {
  const { locale, shop } = frame;
  const { words } = locale;
  return html`<footer class="bottom">
    <div class="bar">
      <ul class="links">
        ${shop === undefined ? nothing : policyLinks(shop, locale)}
      </ul>
      <div class="languages" role="group" aria-label="${words.footer.language}">
        ${languages.map((language) => {
          const other = readLocale(language);
          if (other === undefined) return nothing;
          if (language === locale.language)
            return html`<span lang="${language}" aria-current="true">${other.words.name}</span>`;
          return languageForm === undefined
            ? html`<a href="${frame.path}?locale=${language}" lang="${language}" hreflang="${language}" rel="alternate"
                >${other.words.name}</a
              >`
            : html`<button
                class="link"
                form="${languageForm}"
                name="action"
                value="locale:${language}"
                lang="${language}"
              >
                ${other.words.name}
              </button>`;
        })}
      </div>
    </div>
  </footer>`;
}

function policyLinks(shop: Shop, { words }: Locale): Html {
  const support = supportLink(shop);
  return html`${shop.termsUrl === '' ? nothing : html`<li><a href="${shop.termsUrl}" target="_blank" rel="noopener">${words.footer.terms}</a></li>`}${
    shop.privacyUrl === ''
      ? nothing
      : html`<li><a href="${shop.privacyUrl}" target="_blank" rel="noopener">${words.footer.privacy}</a></li>`
  }${support === '' ? nothing : html`<li><a href="${support}">${words.footer.support}</a></li>`}`;
}

/** Where a customer asks for help; empty when the shop says nothing. */
export function supportLink(shop: Shop): string {
  if (shop.supportUrl !== '') return shop.supportUrl;
  return shop.supportEmail === '' ? '' : `mailto:${encodeURIComponent(shop.supportEmail).replace('%40', '@')}`;
}

/** A link to a merchant's document, as part of a sentence. It opens beside the form, which keeps what was entered. */
export function outLink(href: string, text: string, locale: Locale): Html {
  return html`<a href="${href}" target="_blank" rel="noopener"
    >${text}<span class="unseen"> (${locale.words.newWindow})</span></a
  >`;
}
