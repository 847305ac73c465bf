/** A subscription's id is `sub_` and the seed's `{parent order}_{order item}` (D4), under which it may be asked for too. */
const form = /^(?:sub_)?([1-9][0-9]{0,14}_[1-9][0-9]{0,14})$/;

/** The seed's id, as the services know it. Undefined for what cannot be a subscription. */
export function readSubscriptionId(text: string): string | undefined {
  return form.exec(text)?.[1];
}
