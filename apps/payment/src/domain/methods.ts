/** How customers may pay. What documents call each, and whether it can be charged again without the customer (R83). */
export interface Method {
  readonly code: string;
  /** As documents say it. */
  readonly systemName: string;
  readonly canRenew: boolean;
  /**
   * The customer orders the payment elsewhere, and it arrives later: it may take days, so that it does not keep another attempt from
   * being begun, and the customer decides on the sum.
   */
  readonly isOffline: boolean;
}

/** The default first. */
export const methods: readonly Method[] = [
  { code: 'CreditCard', systemName: 'Bank Card', canRenew: true, isOffline: false },
  { code: 'BankTransfer', systemName: 'Bank Transfer', canRenew: false, isOffline: true },
];

export function methodOf(code: string): Method | undefined {
  return methods.find((method) => method.code === code);
}

/** A method that is not known any more counts as online. */
export function isOffline(code: string): boolean {
  return methodOf(code)?.isOffline === true;
}
