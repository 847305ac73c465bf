/** The numbers of payments that are decisions of the business, each with its unit and its source. */

const minuteMs = 60_000;

/** Minutes until a page that nobody used expires, unless the merchant's policy `payment_expiry_minutes` says another number [D11]. */
export const defaultExpiryMinutes = 30;
/** Shorter, and a customer who looks for the card loses the page; the merchant service has the same bounds. */
export const minExpiryMinutes = 5;
/** Longer, and an order would be held open by a page that is forgotten: one day. */
export const maxExpiryMinutes = 24 * 60;

/** 0 = the default. Undefined = outside of the bounds. */
export function expiryMinutesOf(asked: number): number | undefined {
  if (asked === 0) return defaultExpiryMinutes;
  return asked >= minExpiryMinutes && asked <= maxExpiryMinutes ? asked : undefined;
}

export function expiresAt(createdAt: Date, expiryMinutes: number): Date {
  return new Date(createdAt.getTime() + expiryMinutes * minuteMs);
}

/** Milliseconds after its page was opened until the provider is asked about it: its callback may be lost, and its customer may not come back. */
export const firstLookMs = 2 * minuteMs;

/** Milliseconds between two further looks. They end with the page, which expires. */
export const lookAgainMs = 5 * minuteMs;

/** Milliseconds between two questions to the provider that customers' pages cause: it spares the provider. By the wall. */
export const askEveryMs = 2_000;
