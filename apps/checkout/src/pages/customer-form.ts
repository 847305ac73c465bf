/** The fields a customer fills in, each with its label, its standard autocomplete token and, when refused, its reason. */
import type { Field, TextField } from '../domain/entries.ts';
import type { Linked } from '../words/en.ts';
import type { Locale } from '../words/locale.ts';
import { html, raw, type Html } from './html.ts';
import { icons } from './icons.ts';
import { nothing, outLink } from './layout.ts';
import { attribute } from './parts.ts';
import { methodChoices, termsList } from './renewal-parts.ts';
import type { CheckoutView, Shop } from './view.ts';

interface InputHow {
  readonly autocomplete: string;
  readonly type?: 'email';
  readonly isOptional?: boolean;
  readonly hint?: string;
  readonly spellcheck?: boolean;
}

export function customerFields(view: CheckoutView, locale: Locale): Html {
  const { words } = locale;
  const isCompanyOpen =
    view.entries.company_name !== '' ||
    view.entries.vat_number !== '' ||
    view.entries.company_billing_address !== '' ||
    ['company_name', 'vat_number', 'company_billing_address'].some((field) => problemOf(view, field) !== undefined);
  return html`<fieldset class="group">
    <legend>${words.checkout.details}</legend>
    ${input(view, locale, 'email', { autocomplete: 'email', type: 'email', hint: words.checkout.detailsHint, spellcheck: false })}
    <div class="pair">
      ${input(view, locale, 'first_name', { autocomplete: 'given-name' })}${input(view, locale, 'last_name', { autocomplete: 'family-name' })}
    </div>
    ${countryField(view, locale)}
    <details class="company" ${attribute('open', isCompanyOpen)}>
      <summary>
        ${icons.chevron}<span>${words.checkout.company} <small>(${words.checkout.optional})</small></span>
      </summary>
      <div class="inner">
        <p class="hint">${words.checkout.companyHint}</p>
        ${input(view, locale, 'company_name', { autocomplete: 'organization', isOptional: true })}
        ${addressField(view, locale)}
        ${input(view, locale, 'vat_number', { autocomplete: 'off', isOptional: true, spellcheck: false })}
      </div>
    </details>
  </fieldset>`;
}

export function methodFields(view: CheckoutView, locale: Locale): Html {
  const problem = problemOf(view, 'payment_method');
  return html`<fieldset class="group" role="radiogroup" ${said('payment_method', problem)}>
    <legend>${locale.words.checkout.payment}</legend>
    ${methodChoices(view.methods, view.entries.payment_method, locale)}${reason('payment_method', problem, locale)}
  </fieldset>`;
}

/** The box to tick before anything renews by itself; nothing where nothing does, or where it is said beside the button. */
export function renewalFields(view: CheckoutView, locale: Locale): Html {
  const { renewal } = view;
  if (renewal?.consent !== 'switch') return nothing;
  const { consent } = locale.words.renewal;
  const problem = problemOf(view, 'auto_renew');
  return html`<fieldset class="group renewal${problem === undefined ? '' : ' wrong'}">
    <legend>${consent.title}</legend>
    <div class="card">
      <div class="consent${problem === undefined ? '' : ' wrong'}">
        <input
          type="checkbox"
          id="auto_renew"
          name="auto_renew"
          value="yes"
          ${attribute('required', renewal.isTrial)}${said('auto_renew', problem, 'auto_renew-hint')}${attribute('checked', view.entries.auto_renew)}
          ${renewal.isTrial ? html` data-required="${locale.words.fields.auto_renew.required}"` : nothing}
        /><label for="auto_renew" class="strong">${consent.agree}</label>${reason('auto_renew', problem, locale)}
      </div>
      <div id="auto_renew-hint" class="agreed">
        ${termsList(renewal.terms)}
        <p class="hint">${consent.cancel} ${consent.card}</p>
        <p class="hint">${renewal.isTrial ? consent.withoutTrial : consent.without}</p>
      </div>
    </div>
  </fieldset>`;
}

export function consentFields(view: CheckoutView, locale: Locale, shop: Shop): Html {
  const { words } = locale;
  return html`${consent(view, locale, 'terms_accepted', words.checkout.terms, words.checkout.termsPlain, shop.termsUrl)}${consent(
    view,
    locale,
    'privacy_accepted',
    words.checkout.privacy,
    words.checkout.privacyPlain,
    shop.privacyUrl,
  )}`;
}

function consent(
  view: CheckoutView,
  locale: Locale,
  field: 'terms_accepted' | 'privacy_accepted',
  sentence: Linked,
  plain: string,
  href: string,
): Html {
  const problem = problemOf(view, field);
  const text =
    href === '' ? html`${plain}` : html`${sentence.before}${outLink(href, sentence.link, locale)}${sentence.after}`;
  return html`<div class="consent${problem === undefined ? '' : ' wrong'}">
    <input
      type="checkbox"
      id="${field}"
      name="${field}"
      value="yes"
      required${said(field, problem)}${attribute('checked', view.entries[field])}
      data-required="${locale.words.fields[field].required}"
    /><label for="${field}">${text}</label>${reason(field, problem, locale)}
  </div>`;
}

function input(view: CheckoutView, locale: Locale, field: TextField, how: InputHow): Html {
  const { words } = locale;
  const problem = problemOf(view, field);
  const hintId = how.hint === undefined ? undefined : `${field}-hint`;
  return html`<div class="field${problem === undefined ? '' : ' wrong'}">
    <label for="${field}"
      >${words.fields[field].label}${
        how.isOptional === true ? html` <small>(${words.checkout.optional})</small>` : nothing
      }</label
    >${how.hint === undefined ? nothing : html`<p class="hint" id="${field}-hint">${how.hint}</p>`}<input
      id="${field}"
      name="${field}"
      type="${how.type ?? 'text'}"
      autocomplete="${how.autocomplete}"
      value="${view.entries[field]}"
      ${attribute('required', how.isOptional !== true)}${how.spellcheck === false ? raw(' spellcheck="false" autocapitalize="none"') : ''}${said(field, problem, hintId)}
      data-required="${how.isOptional === true ? '' : words.fields[field].required}"
      data-invalid="${words.fields[field].invalid}"
    />${reason(field, problem, locale)}
  </div>`;
}

function addressField(view: CheckoutView, locale: Locale): Html {
  const { words } = locale;
  const field = 'company_billing_address';
  const problem = problemOf(view, field);
  return html`<div class="field${problem === undefined ? '' : ' wrong'}">
    <label for="${field}">${words.fields[field].label} <small>(${words.checkout.optional})</small></label
    ><textarea id="${field}" name="${field}" rows="3" autocomplete="billing street-address" ${said(field, problem)}>
${view.entries[field]}</textarea
    >${reason(field, problem, locale)}
  </div>`;
}

function countryField(view: CheckoutView, locale: Locale): Html {
  const { words } = locale;
  const problem = problemOf(view, 'country');
  return html`<div class="field${problem === undefined ? '' : ' wrong'}">
    <label for="country">${words.fields.country.label}</label
    ><select
      id="country"
      name="country"
      autocomplete="country"
      required${said('country', problem)}
      data-required="${words.fields.country.required}"
    >
      <option value="">${words.checkout.country}</option>
      ${view.countries.map(
        ({ code, name }) =>
          html`<option value="${code}" ${attribute('selected', code === view.entries.country)}>${name}</option>`,
      )}</select
    >${reason('country', problem, locale)}
  </div>`;
}

function problemOf(view: CheckoutView, field: string): string | undefined {
  return view.problems.find((problem) => problem.field === field)?.text;
}

/** The attributes that tie a control to what is said about it. */
function said(field: Field, problem: string | undefined, hintId?: string): Html {
  const ids = [hintId, problem === undefined ? undefined : `${field}-problem`].filter((id) => id !== undefined);
  return html` aria-invalid="${problem === undefined ? 'false' : 'true'}"${ids.length === 0 ? nothing : html` aria-describedby="${ids.join(' ')}"`}`;
}

export function reason(id: string, problem: string | undefined, locale: Locale): Html {
  if (problem === undefined) return nothing;
  return html`<p class="problem" id="${id}-problem">
    <span class="unseen">${locale.words.problems.errorPrefix} </span>${problem}
  </p>`;
}
