/**
 * What the seed's signature is the SHA-512 of: `secret;event;order_id;create_date;payment_method;currency;email`, with
 * the values as the body has them. It covers neither amount nor status and has no time stamp: it is kept for those who
 * verify it already, and the Standard Webhooks headers stand beside it (D6).
 */
interface SeedBody {
  readonly event: string;
  readonly order_id?: number;
  readonly create_date?: string;
  readonly payment?: { readonly payment_method: string };
  readonly currency?: string;
  readonly customer?: { readonly email: string };
}

/** The same values have other names in the profile `standard`; an order says its own number, other objects name their order. */
interface StandardBody {
  readonly type: string;
  readonly data: {
    readonly id?: number | string;
    readonly order?: number;
    readonly created_at?: string;
    readonly payment_method?: string;
    readonly method?: string;
    readonly currency?: string;
    readonly amount?: { readonly currency: string };
    readonly customer?: { readonly email: string };
  };
}

/** A value that the body does not have counts as empty; a ping has no order. */
export function seedText(secret: string, body: string): string {
  const said: SeedBody | StandardBody = JSON.parse(body);
  if ('data' in said) {
    const { id, order, created_at, payment_method, method, currency, amount, customer } = said.data;
    const orderId = order ?? (typeof id === 'number' ? id : undefined);
    const values = [orderId, created_at, payment_method ?? method, currency ?? amount?.currency, customer?.email];
    return [secret, said.type, ...values].join(';');
  }
  const { event, order_id, create_date, payment, currency, customer } = said;
  return [secret, event, order_id, create_date, payment?.payment_method, currency, customer?.email].join(';');
}
