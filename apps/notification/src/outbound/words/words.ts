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
    /** Of an order whose only sum is a free first term. */
    readonly trial: {
      readonly subject: (order: string) => string;
      readonly preheader: string;
      readonly heading: string;
      readonly intro: (order: string) => string;
      readonly total: string;
      readonly startedOn: string;
      readonly savedCard: string;
    };
  };
  /** What every mail about a subscription may say of it. */
  readonly subscription: {
    readonly product: string;
    readonly amount: string;
    readonly length: string;
    readonly chargedOn: string;
    readonly orderedOn: string;
    readonly chargedTo: string;
    readonly paidUntil: string;
    readonly freeUntil: string;
    readonly accessUntil: string;
    readonly cancelledOn: string;
    readonly endedOn: string;
    readonly manage: string;
    readonly open: string;
    readonly pay: string;
    /** In the confirmation of a payment: what was agreed on, and how to end it. */
    readonly terms: {
      readonly heading: string;
      readonly renews: (day: string, sum: string) => string;
      readonly renewsAtPresentPrice: (day: string) => string;
      readonly renewsAfterTrial: (day: string, sum: string) => string;
      readonly byHand: (day: string, sum: string) => string;
      readonly byHandAtPresentPrice: (day: string) => string;
      readonly goesOn: string;
      readonly toldBefore: string;
      readonly cancel: string;
    };
  };
  readonly renewalNotice: {
    readonly subject: (product: string, day: string, sum: string) => string;
    readonly subjectNewPrice: (product: string, day: string, sum: string) => string;
    readonly subjectTrial: (product: string, day: string, sum: string) => string;
    readonly subjectByHand: (product: string, end: string) => string;
    readonly preheader: (day: string, sum: string) => string;
    readonly preheaderByHand: string;
    readonly heading: string;
    readonly headingNewPrice: string;
    readonly headingTrial: string;
    readonly headingByHand: string;
    readonly intro: (product: string, day: string, sum: string) => string;
    readonly introTrial: (product: string, end: string) => string;
    readonly introByHand: (product: string, end: string, day: string) => string;
    readonly newPrice: (sum: string) => string;
    readonly firstCharge: (day: string, sum: string) => string;
    readonly cancel: (day: string, end: string) => string;
    readonly cancelTrial: (day: string, end: string) => string;
    readonly cancelByHand: (day: string) => string;
  };
  readonly renewalFailed: {
    readonly subject: (product: string) => string;
    readonly subjectLast: (product: string) => string;
    readonly preheader: (sum: string) => string;
    readonly heading: string;
    readonly headingLast: string;
    readonly intro: (product: string, sum: string) => string;
    readonly again: (day: string) => string;
    readonly last: string;
    readonly lastRunning: (end: string) => string;
    readonly lastOver: (end: string) => string;
    readonly next: string;
    readonly nextLast: string;
  };
  readonly renewalOrder: {
    readonly subject: (product: string) => string;
    readonly preheader: (sum: string) => string;
    readonly heading: string;
    readonly intro: (product: string, end: string) => string;
    readonly byHand: string;
    readonly next: string;
  };
  readonly subscriptionCancelled: {
    readonly subject: (product: string) => string;
    readonly preheader: string;
    readonly heading: string;
    readonly introCustomer: (product: string) => string;
    readonly introMerchant: (product: string, shop: string) => string;
    readonly introRefund: (product: string) => string;
    readonly access: (end: string) => string;
    readonly noCharge: string;
    readonly openOrder: string;
    readonly restore: string;
  };
  readonly subscriptionRestored: {
    readonly subject: (product: string) => string;
    readonly preheader: string;
    readonly heading: string;
    readonly intro: (product: string) => string;
    readonly next: (day: string) => string;
    readonly nextSum: (day: string, sum: string) => string;
    readonly now: string;
    readonly cancel: string;
  };
  readonly subscriptionExpired: {
    readonly subject: (product: string) => string;
    readonly preheader: (product: string, end: string) => string;
    readonly heading: string;
    readonly intro: (product: string, end: string) => string;
    readonly pay: string;
    readonly noCharge: string;
  };
  readonly orderReminder: {
    readonly subject: (order: string) => string;
    readonly preheader: (total: string) => string;
    readonly heading: string;
    readonly intro: (order: string, day: string) => string;
    readonly total: string;
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
