/**
 * The checkout page: one form. Quantities, removal, currency and language are submit buttons of the same form, so that
 * nothing that was entered is lost and everything works without a script.
 */
import type { Locale } from '../words/locale.ts';
import { html, raw, type Html } from './html.ts';
import { consentFields, customerFields, methodFields, reason, renewalFields } from './customer-form.ts';
import { icons } from './icons.ts';
import { nothing, page } from './layout.ts';
import { attribute, hidden, notice, productName, termsOf, thumbnail } from './parts.ts';
import { byHandNote, implicitConsent, outcome } from './renewal-parts.ts';
import type { CartView, CheckoutView, Frame, LineView, Shop } from './view.ts';

const formId = 'checkout';

export function checkoutPage(frame: Frame & { readonly shop: Shop }, view: CheckoutView): Html {
  const { locale, shop } = frame;
  const { words } = locale;
  const wrongLines = view.cart.lines.filter((line) => line.problem !== undefined);
  const count = view.problems.length + wrongLines.length;
  const title =
    count === 0 ? words.checkout.title : `${words.checkout.titleWithErrors(count)} – ${words.checkout.title}`;
  // The first button is what the Enter key presses in any field: to order, never to remove a line.
  const body = html`<form id="${formId}" class="wide" method="post" action="${frame.path}" novalidate data-once>
<button class="unseen" name="action" value="place" tabindex="-1" aria-hidden="true"></button>
${hidden('cart_version', String(view.cart.version))}${hidden('total_minor', view.cart.totalMinor)}${hidden('locale', locale.tag)}
<div class="head"><h1>${words.checkout.title}</h1>
${view.notice === undefined ? nothing : notice(view.notice.tone, view.notice.text)}
${count === 0 ? nothing : problemList(view, wrongLines, words.problems.summary)}
</div>
<aside class="summary" aria-labelledby="summary-title">
<details${attribute('open', view.isSummaryOpen || wrongLines.length > 0)}>
<summary><span class="unseen">${words.summary.show}: </span><span class="summary-word">${words.summary.title}</span>${icons.chevron}<span class="summary-total">${view.cart.total}</span></summary>
<div class="inner"><h2 id="summary-title">${words.summary.title}</h2>${cartLines(view.cart, locale)}</div>
</details></aside>
<div class="entries">
${customerFields(view, locale)}${methodFields(view, locale)}${renewalFields(view, locale)}${byHandNote(view.byHand, locale)}<fieldset class="group"><legend>${words.checkout.confirm}</legend>${consentFields(view, locale, shop)}</fieldset>
${implicitConsent(view.renewal, locale)}${outcome(view.renewal, locale)}<button class="primary" name="action" value="place" id="place"${view.renewal?.consent === 'implicit' ? raw(' aria-describedby="renewal"') : nothing}>${view.place.text}</button>
<p class="hint under">${view.place.hint}</p>
</div></form>`;
  return page(frame, { title, body, step: 'details', languageForm: formId });
}

function problemList(view: CheckoutView, wrongLines: readonly LineView[], title: string): Html {
  return html`<div class="error-summary" role="alert" tabindex="-1" autofocus id="problems">
    <h2>${icons.alert} ${title}</h2>
    <ul>
      ${wrongLines.map(
        (line) => html`<li><a href="#quantity_${line.productId}">${line.problem}</a></li>`,
      )}${view.problems.map((problem) => html`<li><a href="#${problem.field}">${problem.text}</a></li>`)}
    </ul>
  </div>`;
}

function cartLines(cart: CartView, locale: Locale): Html {
  const { words } = locale;
  return html`<ul class="lines">
      ${cart.lines.map((line) => cartLine(line, locale))}
    </ul>
    <dl class="sum">
      <div>
        <dt>${words.summary.total}</dt>
        <dd id="total">${cart.total}</dd>
      </div>
    </dl>
    <p class="hint">${words.summary.taxes}</p>
    ${
      cart.currencies.length < 2
        ? nothing
        : html`<div class="currency">
            <label for="currency">${words.summary.currency}</label
            ><select id="currency" name="currency">
              ${cart.currencies.map(
                (currency) =>
                  html`<option value="${currency}" ${attribute('selected', currency === cart.currency)}>
                    ${currency}
                  </option>`,
              )}</select
            ><button class="quiet" name="action" value="currency">
              ${words.summary.update}<span class="unseen">: ${words.summary.currency}</span>
            </button>
          </div>`
    }`;
}

function cartLine(line: LineView, locale: Locale): Html {
  const { words } = locale;
  const id = `quantity_${line.productId}`;
  return html`<li class="line">
    ${thumbnail(line.name, line.imageUrl)}
    <div class="what">
      ${productName(line.name, line.family)}${
        line.quantity === 1 ? nothing : html`<p class="hint">${words.summary.each(line.price)}</p>`
      }${termsOf(line.terms)}
    </div>
    <span class="amount">${line.amount}</span
    >${line.description === '' ? nothing : html`<p class="about"><bdi>${line.description}</bdi></p>`}
    <div class="change${line.problem === undefined ? '' : ' wrong'}">
      <input type="hidden" name="shown_${line.productId}" value="${String(line.quantity)}" /><label for="${id}"
        >${words.summary.quantity}<span class="unseen"> (${line.name})</span></label
      ><input
        id="${id}"
        name="${id}"
        type="number"
        inputmode="numeric"
        min="${String(line.minQuantity)}"
        max="${String(line.maxQuantity)}"
        step="1"
        value="${line.entered ?? String(line.quantity)}"
        autocomplete="off"
        aria-invalid="${line.problem === undefined ? 'false' : 'true'}"
        ${line.problem === undefined ? nothing : html` aria-describedby="${id}-problem"`}
      /><button class="quiet" name="action" value="update">
        ${words.summary.update}<span class="unseen">: ${words.summary.quantityOf(line.name)}</span></button
      ><button class="quiet" name="action" value="remove:${line.productId}">
        ${words.summary.remove}<span class="unseen">: ${line.name}</span></button
      >${reason(id, line.problem, locale)}
    </div>
  </li>`;
}
