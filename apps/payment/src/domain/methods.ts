/**
 * The catalogue of payment methods: how customers may pay, in the words of the merchants' documents. It is the only place that knows
 * them by name; others ask for it (ListMethods). Which of them are offered is what the providers can do
 * ("Add a payment method" in docs/architecture.md).
 */
export interface Method {
  /** What documents call payment_method. */
  readonly code: string;
  /** What documents call payment_system_name. */
  readonly systemName: string;
  readonly kind: 'card' | 'bank' | 'transfer' | 'wallet' | 'crypto';
  /**
   * The money may arrive days after the customer has left the provider's page: it keeps no other attempt from being begun, and the
   * customer decides on the sum.
   */
  readonly isOffline: boolean;
  /** What it pays can be charged again without the customer (R83). */
  readonly canRenew: boolean;
  /** Under which pages keep what they say of it, in every language (apps/checkout/src/words). */
  readonly textKey: string;
}

/** The default first. */
export const methods: readonly Method[] = [
  { code: 'CreditCard', systemName: 'Bank Card', kind: 'card', isOffline: false, canRenew: true, textKey: 'card' },
  {
    code: 'BankTransfer',
    systemName: 'Bank Transfer',
    kind: 'transfer',
    isOffline: true,
    canRenew: false,
    textKey: 'transfer',
  },
];

export function methodOf(code: string): Method | undefined {
  return methods.find((method) => method.code === code);
}

/** A method that is not known any more counts as online. */
export function isOffline(code: string): boolean {
  return methodOf(code)?.isOffline === true;
}
