/**
 * Every refusal the product knows: its gRPC status, its HTTP status and its sentence. A service throws
 * `new Refused('code')`; the rpc server, the gateway and the errors page all read this one table.
 */
import { status } from '@grpc/grpc-js';

interface Row {
  readonly grpc: status;
  readonly http: number;
  readonly sentence: string;
}

const {
  NOT_FOUND,
  INVALID_ARGUMENT,
  FAILED_PRECONDITION,
  UNAUTHENTICATED,
  PERMISSION_DENIED,
  RESOURCE_EXHAUSTED,
  ABORTED,
} = status;

const notFound = (what: string): Row => ({ grpc: NOT_FOUND, http: 404, sentence: `There is no such ${what}.` });
const invalid = (sentence: string): Row => ({ grpc: INVALID_ARGUMENT, http: 422, sentence });
const conflict = (sentence: string): Row => ({ grpc: FAILED_PRECONDITION, http: 409, sentence });

export const refusals = {
  invalid_request: { grpc: INVALID_ARGUMENT, http: 400, sentence: 'The request is not well formed.' },
  invalid_field: invalid('A field has a value that is not allowed.'),
  required: invalid('This field is required.'),
  too_long: invalid('This value is too long.'),
  card_number_refused: invalid(
    'This looks like a card number. Card data is entered on the payment provider’s page only.',
  ),

  invalid_api_key: { grpc: UNAUTHENTICATED, http: 401, sentence: 'The API key is not valid.' },
  revoked_api_key: { grpc: UNAUTHENTICATED, http: 401, sentence: 'The API key has been revoked.' },
  missing_scope: { grpc: PERMISSION_DENIED, http: 403, sentence: 'The API key does not have the scope for this.' },
  rate_limited: { grpc: RESOURCE_EXHAUSTED, http: 429, sentence: 'Too many requests. Wait and try again.' },

  idempotency_key_reused: invalid('This Idempotency-Key was used with another request.'),
  idempotency_key_in_flight: conflict('A request with this Idempotency-Key is being worked on.'),
  idempotency_key_invalid: invalid('An Idempotency-Key is 1 to 255 printable ASCII characters.'),

  route_not_found: notFound('route'),
  merchant_not_found: notFound('merchant'),
  api_key_not_found: notFound('API key'),
  product_not_found: notFound('product'),
  product_not_available: conflict('The product is not for sale.'),
  currency_not_supported: invalid('The product has no price in this currency.'),
  quantity_out_of_range: invalid('The quantity is out of range.'),
  too_many_items: invalid('The cart has as many lines as it may.'),
  delivery_method_not_supported: invalid('This delivery method is not supported.'),

  cart_not_found: notFound('cart'),
  cart_empty: conflict('The cart is empty.'),
  cart_changed: conflict('The cart has changed since it was shown.'),
  cart_already_ordered: conflict('The cart has become an order.'),
  terms_not_accepted: invalid('The terms of sale must be accepted.'),
  privacy_not_accepted: invalid('The processing of personal data must be accepted.'),

  order_not_found: notFound('order'),
  order_already_paid: conflict('The order is paid.'),
  order_deleted: conflict('The order is deleted.'),
  order_not_paid: conflict('The order is not paid.'),
  too_many_resends: conflict('The licences of an order are sent again at most 20 times.'),
  payment_method_not_supported: invalid('This payment method is not available.'),

  subscription_not_found: notFound('subscription'),
  restore_not_supported: conflict('A subscription that is renewed by hand cannot be restored.'),
  subscription_ended: conflict('The paid time is over, and there is no unpaid order to revive the subscription with.'),
  period_not_allowed: invalid(
    'A period is an ISO 8601 duration of one unit, from 6 days to 10 years: P1Y, P6M, P2W, P30D.',
  ),

  test_mode_only: conflict('Only a test mode clock can be moved. Use a test key.'),
  clock_cannot_go_back: invalid('A clock only goes forward.'),
  clock_too_far: invalid('One advance goes at most 10 years, and no clock goes past the year 2100.'),
  test_clock_busy: conflict('The clock is being advanced. Wait until that is done.'),

  payment_not_found: notFound('payment'),
  payment_not_withdrawable: conflict('The customer has started to pay; the payment can no longer be withdrawn.'),
  attempt_unresolved: conflict(
    'The outcome of the last attempt is not known yet. No second payment is started until it is.',
  ),
  amount_out_of_range: invalid('The amount is out of range.'),
  amount_mismatch: conflict('The amount is not the one that was asked for.'),
  callback_not_authentic: { grpc: UNAUTHENTICATED, http: 401, sentence: 'The callback is not signed by the provider.' },
  provider_not_found: notFound('payment provider'),

  too_many_codes: invalid('At most 10,000 codes are taken in one call.'),

  endpoint_not_found: notFound('webhook endpoint'),
  delivery_not_found: notFound('webhook delivery'),
  event_not_found: notFound('event'),
  webhook_url_not_allowed: invalid('Webhooks are not sent to this address.'),
  too_many_endpoints: conflict('A merchant has at most 50 webhook endpoints.'),
  unknown_event_type: invalid('There is no such event type.'),

  internal: { grpc: status.INTERNAL, http: 500, sentence: 'Something went wrong on our side. It was recorded.' },
  unavailable: { grpc: status.UNAVAILABLE, http: 503, sentence: 'A part of the service does not answer. Try again.' },
  conflict_retry: { grpc: ABORTED, http: 409, sentence: 'Somebody changed this at the same moment. Try again.' },
  payload_too_large: { grpc: INVALID_ARGUMENT, http: 413, sentence: 'The body is larger than 256 kB.' },
} as const satisfies Record<string, Row>;

export type RefusalCode = keyof typeof refusals;

export interface FieldRefusal {
  /** Dotted path of the field in the public API, such as customer.email. */
  readonly param: string;
  readonly code: RefusalCode;
  readonly detail: string;
}

/** Thrown by rpc handlers and, with the same content, by rpc clients. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: RefusalCode;
  readonly param: string | undefined;
  readonly fields: readonly FieldRefusal[];

  constructor(code: RefusalCode, more: { param?: string; detail?: string; fields?: readonly FieldRefusal[] } = {}) {
    super(more.detail ?? refusals[code].sentence);
    this.code = code;
    this.param = more.param;
    this.fields = more.fields ?? [];
  }
}

export function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(refusals, code);
}
