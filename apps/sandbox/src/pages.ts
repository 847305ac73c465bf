/** The provider's pages. They look like somebody else's on purpose: the customer has left the shop. */
import { formatMinor } from '@tillstream/money/money';
import { html } from 'hono/html';
import type { SandboxPayment } from './books.ts';
import type { CardFault } from './cards.ts';
import { wordsFor, type Words } from './words.ts';

type Html = ReturnType<typeof html>;

export const style = `
:root{color-scheme:light dark;--ink:#16202c;--soft:#516072;--line:#8a97a8;--ground:#e9eef4;--paper:#fff;--accent:#174ea6;--on-accent:#fff;--bad:#b3261e;--bad-ground:#fdeceb}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#a7b3c2;--line:#6d7b8d;--ground:#10161d;--paper:#1a222c;--accent:#8ab4f8;--on-accent:#10161d;--bad:#ffb4ab;--bad-ground:#3b1d1b}}
*{box-sizing:border-box}
body{margin:0;font:17px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
main{max-width:27rem;margin:0 auto;padding:2rem 1rem 3rem}
.brand{display:flex;gap:.6rem;align-items:center;font-weight:600;margin:0 0 1.2rem}
.brand svg{color:var(--accent)}
.card{background:var(--paper);border-radius:14px;padding:1.5rem;box-shadow:0 1px 3px rgb(0 0 0/.12)}
h1{font-size:1.25rem;margin:0 0 .25rem}
.sum{font-size:1.9rem;font-weight:650;margin:.2rem 0;font-variant-numeric:tabular-nums}
.note{color:var(--soft);margin:.2rem 0 1.2rem;font-size:.95rem}
.kept{border-left:3px solid var(--accent);padding:.1rem 0 .1rem .8rem;margin:0 0 1.2rem;font-size:.95rem}
.field{margin:0 0 1rem}
.row{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
label{display:block;font-weight:600;font-size:.95rem}
.hint{color:var(--soft);font-size:.87rem;display:block}
input{font:inherit;width:100%;padding:.65rem .75rem;margin-top:.25rem;border:1px solid var(--line);border-radius:8px;background:var(--paper);color:inherit;min-height:44px}
input[aria-invalid=true]{border:2px solid var(--bad)}
.error{color:var(--bad);font-size:.9rem;margin:.25rem 0 0}
.faults{background:var(--bad-ground);color:var(--bad);border-radius:8px;padding:.7rem .9rem;margin:0 0 1rem}
button{font:inherit;font-weight:650;min-height:48px;width:100%;border:0;border-radius:10px;background:var(--accent);color:var(--on-accent);cursor:pointer;padding:.6rem 1rem}
button.plain{background:transparent;color:var(--accent);border:1px solid var(--accent);margin-top:.75rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
a{color:var(--accent)}
.back{display:inline-block;margin-top:1.2rem;padding:.3rem 0}
details{margin-top:1.5rem;color:var(--soft);font-size:.92rem}
summary{padding:.3rem 0;cursor:pointer}
code{font:.92em ui-monospace,monospace;color:var(--ink);white-space:nowrap}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem .8rem;margin:.5rem 0 0}
dd{margin:0}
@media (max-width:360px){dl,.row{grid-template-columns:1fr;gap:.2rem}}
`;

export interface CardFaults {
  readonly number?: CardFault;
  readonly expiry?: CardFault;
  readonly cvc?: CardFault;
}

export function cardPage(payment: SandboxPayment, faults: CardFaults): Html | Promise<Html> {
  const words = wordsFor(payment.locale);
  const sum = sumOf(payment);
  const isFree = payment.amount_minor === '0';
  const title = isFree ? words.keepTitle : words.title;
  const hasFaults = Object.keys(faults).length > 0;
  return page(
    payment,
    title,
    html`<h1>${title}</h1>
      <p class="sum">${sum}</p>
      <p class="note">${payment.description} · ${words.test}</p>
      ${payment.save ? html`<p class="kept">${isFree ? `${words.free} ` : ''}${words.kept}</p>` : ''}
      ${hasFaults ? html`<p class="faults" role="alert">${words.faults}</p>` : ''}
      <form method="post" action="/pay/${payment.id}" novalidate>
        ${field(words, 'number', words.number, '', faults.number, html`<input id="number" name="number" autocomplete="cc-number" inputmode="numeric" maxlength="25" required ${marks('number', faults.number, false)} />`)}
        <div class="row">
          ${field(words, 'expiry', words.expiry, words.expiryHint, faults.expiry, html`<input id="expiry" name="expiry" autocomplete="cc-exp" inputmode="numeric" maxlength="9" required ${marks('expiry', faults.expiry, true)} />`)}
          ${field(words, 'cvc', words.cvc, words.cvcHint, faults.cvc, html`<input id="cvc" name="cvc" autocomplete="cc-csc" inputmode="numeric" maxlength="4" required ${marks('cvc', faults.cvc, true)} />`)}
        </div>
        <button type="submit" name="action" value="pay">${isFree ? words.keep : words.pay(sum)}</button>
      </form>
      <a class="back" href="${payment.return_url}">${words.back}</a>
      <details>
        <summary>${words.cards}</summary>
        <dl>
          <dt><code>4242 4242 4242 4242</code></dt>
          <dd>${words.card_pays}</dd>
          <dt><code>4000 0000 0000 0002</code></dt>
          <dd>${words.card_declined}</dd>
          <dt><code>4000 0027 6000 3184</code></dt>
          <dd>${words.card_strong}</dd>
          <dt><code>4000 0000 0000 7775</code></dt>
          <dd>${words.card_silent}</dd>
          ${
            payment.save
              ? html`<dt><code>4000 0000 0000 0341</code></dt>
                  <dd>${words.card_once}</dd>`
              : ''
          }
        </dl>
      </details>`,
  );
}

export function strongPage(payment: SandboxPayment): Html | Promise<Html> {
  const words = wordsFor(payment.locale);
  const sum = sumOf(payment);
  return page(
    payment,
    words.strongTitle,
    html`<h1>${words.strongTitle}</h1>
      <p class="sum">${sum}</p>
      <p class="note">${words.strongText(sum, payment.description)} ${words.test}</p>
      <form method="post" action="/pay/${payment.id}/confirmation">
        <button type="submit" name="action" value="confirm">${words.confirm}</button>
        <button class="plain" type="submit" name="action" value="refuse">${words.refuse}</button>
      </form>`,
  );
}

export function transferPage(payment: SandboxPayment): Html | Promise<Html> {
  const words = wordsFor(payment.locale);
  const sum = sumOf(payment);
  return page(
    payment,
    words.transferTitle,
    html`<h1>${words.transferTitle}</h1>
      <p class="sum">${sum}</p>
      <p class="note">${payment.description} · ${words.test}</p>
      <form method="post" action="/pay/${payment.id}">
        <button type="submit" name="action" value="approve">${words.approve(sum)}</button>
        <button class="plain" type="submit" name="action" value="refuse">${words.refuse}</button>
      </form>
      <a class="back" href="${payment.return_url}">${words.back}</a>`,
  );
}

export function gonePage(): Html | Promise<Html> {
  const words = wordsFor('en');
  return shell('en', words, words.gone, html`<h1>${words.gone}</h1>`);
}

function page(payment: SandboxPayment, title: string, body: Html | Promise<Html>): Html | Promise<Html> {
  return shell(payment.locale.slice(0, 2) === 'de' ? 'de' : 'en', wordsFor(payment.locale), title, body);
}

function shell(language: string, words: Words, title: string, body: Html | Promise<Html>): Html | Promise<Html> {
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} – ${words.provider}</title>
        <link rel="stylesheet" href="/sandbox.css" />
      </head>
      <body>
        <main>
          <p class="brand">
            <svg width="28" height="28" viewBox="0 0 28 28" aria-hidden="true">
              <rect width="28" height="28" rx="8" fill="currentColor" />
              <path d="M7 11h14M7 15h14v4H7z" stroke="#fff" stroke-width="2" fill="none" /></svg
            >${words.provider}
          </p>
          <div class="card">${body}</div>
        </main>
      </body>
    </html>`;
}

function field(
  words: Words,
  name: string,
  label: string,
  hint: string,
  fault: CardFault | undefined,
  input: Html | Promise<Html>,
): Html | Promise<Html> {
  return html`<div class="field">
    <label for="${name}">${label}</label>${hint === '' ? '' : html`<span class="hint" id="${name}-hint">${hint}</span>`}
    ${input} ${fault === undefined ? '' : html`<p class="error" id="${name}-error">${words[fault]}</p>`}
  </div>`;
}

function marks(name: string, fault: CardFault | undefined, hasHint: boolean): Html | Promise<Html> {
  const described = [...(hasHint ? [`${name}-hint`] : []), ...(fault === undefined ? [] : [`${name}-error`])].join(' ');
  return html`${fault === undefined ? '' : html`aria-invalid="true"`}
  ${described === '' ? '' : html`aria-describedby="${described}"`}`;
}

function sumOf(payment: SandboxPayment): string {
  return formatMinor(BigInt(payment.amount_minor), payment.currency, payment.locale);
}
