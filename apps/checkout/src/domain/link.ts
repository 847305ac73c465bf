/** What a checkout link attaches to the order besides the product: `external_id=…` and `ap_<name>=<value>` (seed 003). */

const parameterPrefix = 'ap_';

export interface LinkAttachments {
  readonly externalId: string;
  readonly additionalData: { readonly name: string; readonly value: string }[];
}

/** In the order of the link, unchanged: what is allowed is decided by the order service. */
export function readAttached(query: Readonly<Record<string, string>>): LinkAttachments {
  return {
    externalId: query['external_id'] ?? '',
    additionalData: Object.entries(query).flatMap(([name, value]) =>
      name.startsWith(parameterPrefix) ? [{ name: name.slice(parameterPrefix.length), value }] : [],
    ),
  };
}
