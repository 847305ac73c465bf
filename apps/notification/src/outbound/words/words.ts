/** Every sentence of the mails. A language that misses one does not compile. */
export interface Words {
  /** For Intl: sums and dates. */
  readonly locale: string;
  readonly greeting: (firstName: string) => string;
  readonly greetingWithoutName: string;
  readonly quantity: (count: string) => string;
  readonly openOrder: string;
  readonly testMode: string;
  readonly supportAt: (shop: string, address: string) => string;
  readonly supportByReply: (shop: string) => string;
  readonly order: string;
  readonly paymentConfirmed: {
    readonly subject: (order: string) => string;
    readonly preheader: (total: string) => string;
    readonly heading: string;
    readonly intro: (order: string) => string;
    readonly total: string;
    readonly paidOn: string;
    readonly paidWith: string;
    readonly next: string;
  };
  readonly licence: {
    readonly subject: (product: string) => string;
    readonly preheader: (order: string) => string;
    readonly headingOne: string;
    readonly headingMany: (count: string) => string;
    readonly introOne: (product: string) => string;
    readonly introMany: (product: string) => string;
    readonly orderLine: (order: string) => string;
    readonly keep: string;
  };
  readonly poolLow: {
    readonly subject: (product: string) => string;
    readonly preheader: (available: string) => string;
    readonly heading: string;
    readonly headingEmpty: string;
    readonly intro: (product: string) => string;
    readonly introEmpty: (product: string) => string;
    readonly product: string;
    readonly available: string;
    readonly mark: string;
    readonly next: string;
  };
}
