/** How customers may pay. What documents call each, and whether it can be charged again without the customer (R83). */
export interface Method {
  readonly code: string;
  /** As documents say it. */
  readonly systemName: string;
  readonly canRenew: boolean;
}

/** The default first. */
export const methods: readonly Method[] = [
  { code: 'CreditCard', systemName: 'Bank Card', canRenew: true },
  { code: 'BankTransfer', systemName: 'Bank Transfer', canRenew: false },
];

export function methodOf(code: string): Method | undefined {
  return methods.find((method) => method.code === code);
}
