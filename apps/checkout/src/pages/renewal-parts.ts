/** Pieces about methods and renewals that the checkout page and the payment page share. */
import type { Locale } from '../words/locale.ts';
import { html, type Html } from './html.ts';
import { icons } from './icons.ts';
import { nothing } from './layout.ts';
import { attribute } from './parts.ts';
import type { MethodView, PayConsent, RenewalView, TermsView } from './renewal-view.ts';

/** The name of the field is also the id of its first choice, so that what is said about the field leads there. */
export function methodChoices(methods: readonly MethodView[], chosen: string, { words }: Locale): Html {
  if (methods.length === 0) return html`<p class="problem" id="payment_method">${words.renewal.methods.none}</p>`;
  return html`${methods.map((method, at) => methodChoice(method, at === 0 ? 'payment_method' : `method-${method.code.toLowerCase()}`, chosen))}`;
}

function methodChoice(method: MethodView, id: string, chosen: string): Html {
  const isSaid = method.hint !== '' || method.note !== '';
  return html`<div class="choice">
    <input
      type="radio"
      id="${id}"
      name="payment_method"
      value="${method.code}"
      data-renews="${method.canRenew ? 'yes' : 'no'}"
      ${isSaid ? html` aria-describedby="${id}-hint"` : nothing}${attribute('checked', method.code === chosen)}
    /><label for="${id}">${methodIcon(method.kind)}<span>${method.name}</span></label>
    ${
      isSaid
        ? html`<div class="about-method" id="${id}-hint">
            ${method.hint === '' ? nothing : html`<p class="hint">${method.hint}</p>`}${method.note === '' ? nothing : html`<p class="remark">${method.note}</p>`}
          </div>`
        : nothing
    }
  </div>`;
}

export function methodIcon(kind: string): Html {
  return kind === 'bank' || kind === 'transfer' ? icons.bank : icons.card;
}

export function termsList(terms: readonly TermsView[]): Html {
  return html`<ul class="agreements">
    ${terms.map(
      (each) =>
        html`<li>
          <span><bdi class="strong">${each.name}</bdi>: ${each.terms}</span>
          ${each.charged === '' ? nothing : html`<span class="hint">${each.charged}</span>`}
        </li>`,
    )}
  </ul>`;
}

export function byHandNote(terms: readonly TermsView[], { words }: Locale): Html {
  if (terms.length === 0) return nothing;
  return html`<section class="group" aria-labelledby="by-hand">
    <h2 class="legend" id="by-hand">${words.renewal.thanks.title}</h2>
    <div class="card">${termsList(terms)}</div>
  </section>`;
}

/** What ordering agrees to, right beside the button, where no box asks for it. */
export function implicitConsent(renewal: RenewalView | undefined, { words }: Locale): Html {
  if (renewal?.consent !== 'implicit') return nothing;
  const { consent } = words.renewal;
  return html`<section class="card group renewal" id="renewal" aria-label="${consent.title}">
    <p>${icons.repeat} <span>${consent.implicit}</span></p>
    ${termsList(renewal.terms)}
    <p class="hint">${consent.cancel} ${consent.card}</p>
  </section>`;
}

/**
 * Whether there will be a subscription, as it is chosen at this moment: the stylesheet shows the one sentence that is
 * true. A browser whose style cannot shows none, and the notes beside box and methods say it.
 */
export function outcome(renewal: RenewalView | undefined, { words }: Locale): Html {
  if (renewal === undefined) return nothing;
  const said = words.renewal.outcome;
  return html`<div class="outcome ${renewal.consent}" role="status">
    <p class="if-renews">${icons.repeat} <span>${said.renews}</span></p>
    <p class="if-once">${icons.info} <span>${renewal.isTrial ? said.noTrial : said.once}</span></p>
  </div>`;
}

/** The same on the payment page, where the consent was given before. */
export function payConsent(consent: PayConsent | undefined, { words }: Locale): Html {
  if (consent === undefined) return nothing;
  if (consent.terms.length === 0) return html`<p class="agreed once">${icons.info} <span>${consent.lead}</span></p>`;
  return html`<div class="agreed">
    <p>${consent.lead}</p>
    ${termsList(consent.terms)}
    <p class="hint">${words.renewal.consent.cancel}</p>
  </div>`;
}
