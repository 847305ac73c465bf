/** What is known about a request that came with an Idempotency-Key. */
export interface StoredAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** The right to work on a request and to store its answer. */
export interface Claim {
  readonly merchantId: string;
  readonly key: string;
  /** For ever the same for this key: what a service made for it, it does not make again. */
  readonly requestId: string;
  /** Grows with each takeover: who was overtaken can no longer store an answer. */
  readonly fence: number;
}

export type Claimed =
  | { readonly is: 'mine'; readonly claim: Claim }
  | { readonly is: 'answered'; readonly answer: StoredAnswer }
  | { readonly is: 'in flight' }
  | { readonly is: 'another request' };
