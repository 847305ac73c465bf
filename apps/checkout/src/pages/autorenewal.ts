/** The subscriptions of an order on its page, where they are cancelled and restored; and what a renewal's pages say. */
import type { Locale } from '../words/locale.ts';
import { html, type Html } from './html.ts';
import { icons } from './icons.ts';
import { nothing } from './layout.ts';
import { hidden, notice } from './parts.ts';
import type { SubscriptionView } from './renewal-view.ts';
import type { OrderView } from './view.ts';

/** Mails, webhooks and the renewals' pages lead to this id (R76). */
export function autorenewal(order: OrderView, changed: string, locale: Locale): Html {
  if (order.subscriptions.length === 0) return nothing;
  const { section } = locale.words.renewal;
  return html`<section class="group card" id="autorenewal" tabindex="-1" aria-labelledby="autorenewal-title">
    <h2 id="autorenewal-title">${section.title(order.subscriptions.length)}</h2>
    ${changed === '' ? nothing : notice('info', changed)}
    <ul class="subscriptions">
      ${order.subscriptions.map((each) => subscriptionItem(each, order, locale))}
    </ul>
  </section>`;
}

function subscriptionItem(subscription: SubscriptionView, order: OrderView, locale: Locale): Html {
  return html`<li class="subscription">
    <div class="heading">
      <h3><bdi>${subscription.name}</bdi></h3>
      <span class="badge ${subscription.tone}"
        >${subscription.tone === 'good' ? icons.check : nothing}${subscription.state}</span
      >
    </div>
    ${subscription.text === '' ? nothing : html`<p>${subscription.text}</p>`}
    <dl class="facts">
      ${subscription.facts.map(
        ({ name, value }) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    ${subscription.note === '' ? nothing : html`<p class="hint">${subscription.note}</p>`}
    ${buttons(subscription, order, locale)}
  </li>`;
}

function buttons(subscription: SubscriptionView, order: OrderView, locale: Locale): Html {
  const { section } = locale.words.renewal;
  const what = html`<span class="unseen">: ${section.of(subscription.name)}</span>`;
  if (subscription.canCancel)
    return html`<p><a class="button" href="${cancelPath(order, subscription)}">${section.cancel}${what}</a></p>`;
  if (!subscription.canRestore) return nothing;
  return html`<form method="post" action="${changePath(order)}" data-once>
    ${hidden('subscription_id', subscription.id)}
    <button class="button" name="action" value="restore">${section.restore}${what}</button>
  </form>`;
}

/** What a renewal renews, and the way to where it is cancelled. */
export function childNote(order: OrderView, { words }: Locale): Html {
  if (order.child === undefined) return nothing;
  const { text, href } = order.child;
  return html`<section class="group card" aria-labelledby="renews">
    <h2 id="renews">${words.renewal.child.title}</h2>
    <p>${text}</p>
    ${href === '' ? nothing : html`<p><a href="${href}">${words.renewal.child.link}</a></p>`}
  </section>`;
}

type Addressed = Pick<OrderView, 'id' | 'token'>;

function cancelPath(order: Addressed, subscription: SubscriptionView): string {
  return `/order/status/${order.id}/${order.token}/cancel/${subscription.id}`;
}

/** Where both changes are posted to. */
export function changePath(order: Addressed): string {
  return `/order/status/${order.id}/${order.token}/subscription`;
}
