/** Asks once more before a subscription is cancelled, and says what follows. */
import { changePath } from './autorenewal.ts';
import { html, type Html } from './html.ts';
import { page } from './layout.ts';
import { supportLine } from './message-page.ts';
import { hidden } from './parts.ts';
import type { SubscriptionView } from './renewal-view.ts';
import type { Frame, OrderView } from './view.ts';

export function cancelPage(frame: Frame, order: OrderView, subscription: SubscriptionView): Html {
  const { cancelling } = frame.locale.words.renewal;
  const title = cancelling.title(subscription.name);
  const body = html`<div class="entries">
    <h1>${title}</h1>
    <div class="group card">
      <p>${cancelling.lead}</p>
      <ul class="ending">
        ${subscription.ending.map((text) => html`<li>${text}</li>`)}
      </ul>
      <form class="group" method="post" action="${changePath(order)}" data-once>
        ${hidden('subscription_id', subscription.id)}
        <button class="primary" name="action" value="cancel">${cancelling.confirm}</button>
      </form>
      <p class="under">
        <a href="/order/status/${order.id}/${order.token}#autorenewal">${cancelling.back}</a>
      </p>
    </div>
    ${supportLine(frame, order.name)}
  </div>`;
  return page(frame, { title, body, isNarrow: true });
}
