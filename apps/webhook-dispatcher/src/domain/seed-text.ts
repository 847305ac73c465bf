/**
 * What the seed's signature is the SHA-512 of: `secret;event;order_id;create_date;payment_method;currency;email`, with
 * the values as the body has them. It covers neither amount nor status and has no time stamp: it is kept for those who
 * verify it already, and the Standard Webhooks headers stand beside it (D6).
 */
interface Signed {
  readonly event?: string;
  readonly order_id?: number;
  readonly create_date?: string;
  readonly payment?: { readonly payment_method: string };
  readonly currency?: string;
  readonly customer?: { readonly email: string };
}

/** A ping has no order: what is missing counts as empty. */
export function seedText(secret: string, body: string): string {
  const { event, order_id, create_date, payment, currency, customer }: Signed = JSON.parse(body);
  return [secret, event, order_id, create_date, payment?.payment_method, currency, customer?.email].join(';');
}
