/** Types that this service's rooms share, declared once. */
import type { Instrument } from '@tillstream/instrument/instrument';
import type { Alongside } from '@tillstream/messaging/perform';
import type { PaymentReport, ProviderReport } from './domain/provider-report.ts';
import type { Candidate, Offer } from './domain/routing.ts';

/** One request to a provider and its answer. Throws when none came before the signal, or when the connection broke. */
export type HttpTransport = (request: {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}) => Promise<{ readonly status: number; readonly text: string }>;

export interface PageRequest {
  /** For ever the provider's idempotency key. */
  readonly key: string;
  /** Our payment id; the provider says it back. */
  readonly reference: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly returnUrl: string;
  readonly description: string;
  readonly locale: string;
  /** A code of the method catalogue. */
  readonly method: string;
  /** The customer agreed that the instrument is kept. */
  readonly save: boolean;
  /** The merchant's time. */
  readonly asOf: Date;
}

/** Of what was kept, without the customer. */
export interface ChargeRequest {
  /** For ever the provider's idempotency key: the same key answers what became of it. */
  readonly key: string;
  readonly reference: string;
  readonly token: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly asOf: Date;
}

export interface RefundRequest {
  /** For ever the provider's idempotency key. */
  readonly key: string;
  readonly reference: string;
  readonly providerPaymentId: string;
  /** Below the payment's amount only where `refundPart` is there. */
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly asOf: Date;
}

export interface Declined {
  readonly outcome: 'declined';
  readonly code: string;
  readonly description: string;
}

/** A time-out, a 5xx, a broken connection: it may or may not have happened. */
export interface Unknown {
  readonly outcome: 'unknown';
  readonly because: string;
}

export type PageAnswer =
  | { readonly outcome: 'open'; readonly providerPaymentId: string; readonly redirectUrl: string }
  | Declined
  | Unknown;

export type ChargeAnswer = { readonly outcome: 'known'; readonly report: PaymentReport } | Declined | Unknown;

export type RefundAnswer = { readonly outcome: 'accepted'; readonly providerRefundId: string } | Declined | Unknown;

export interface ReceivedCallback {
  /** The provider's, unique within the account. */
  readonly eventId: string;
  readonly reports: readonly ProviderReport[];
}

export type Headers = Readonly<Record<string, string>>;

/**
 * What a provider does for one account. What it reports besides, of refunds and disputes, comes by `readCallback`. A function that is absent is something that the provider cannot do, or that the account
 * does not have; whatever needs it is refused before anything is called. Answers of providers are hostile input.
 */
export interface Provider {
  openPage?(request: PageRequest): Promise<PageAnswer>;
  charge?(request: ChargeRequest): Promise<ChargeAnswer>;
  /** All that was paid. */
  refund?(request: RefundRequest): Promise<RefundAnswer>;
  /** A part of what was paid. */
  refundPart?(request: RefundRequest): Promise<RefundAnswer>;
  /** False when the customer has begun to pay. Throws when the provider does not answer. */
  withdraw?(providerPaymentId: string): Promise<boolean>;
  /** Undefined when the provider knows no such payment. Throws when it does not answer. `asOf` is the merchant's time. */
  ask?(reference: string, asOf: Date): Promise<PaymentReport | undefined>;
  /** Undefined when the callback is not signed for this account, or too old. */
  readCallback(headers: Headers, body: Uint8Array, now: Date): ReceivedCallback | undefined;
}

/** What a provider is given for an account. Credentials and settings are as they were kept: it checks them before use. */
export interface Access {
  readonly credentials: unknown;
  readonly settings: unknown;
  /** Where the provider sends this account's callbacks. */
  readonly callbackUrl: string;
  /** To that address; connections are shared by all accounts of one purpose. */
  transport(url: string, purpose: 'pages' | 'charges'): HttpTransport;
}

/** An account that the installation itself gives to a merchant. */
export interface IssuedAccount {
  readonly accountId: string;
  readonly credentials: object;
  readonly settings: object;
}

/** One folder of outbound/providers/ exports one of these. */
export interface ProviderKind {
  readonly name: string;
  /** Throws when the credentials or the settings are not such that they can be used. */
  connect(access: Access): { readonly offers: readonly Offer[]; readonly provider: Provider };
  /** A callback whose signature was checked before it was stored. */
  readStored(body: Uint8Array): ReceivedCallback | undefined;
  /** Accounts that every merchant has in test mode, without doing anything; absent = merchants bring their own. */
  readonly issued?: {
    /** The one that takes payments. */
    own(merchantId: string): IssuedAccount;
    /** The one of payments that were begun before merchants had accounts. */
    shared(merchantId: string): IssuedAccount;
    /** Reads what comes to the address that all shared accounts have in common. */
    readShared(headers: Headers, body: Uint8Array, now: Date): ReceivedCallback | undefined;
  };
}

/** A merchant's account, ready for use. */
export interface Account extends Candidate {
  readonly accountId: string;
  readonly merchantId: string;
  readonly livemode: boolean;
  /** The name of the provider's folder. */
  readonly providerName: string;
  readonly provider: Provider;
}

/** Whose payment it is and through which account it goes. Null = written by the version before accounts. */
export interface OfAccount {
  readonly merchant_id: string;
  readonly account_id: string | null;
}

/** What calls to providers need of a payment's row. */
export interface CalledPayment extends OfAccount {
  readonly payment_id: string;
  readonly status: string;
  readonly provider: string;
  readonly provider_payment_id: string;
  readonly amount_minor: bigint;
  readonly currency: string;
  readonly return_url: string;
  readonly description: string;
  readonly locale: string;
  readonly traceparent: string;
  readonly method: string;
  readonly saves_instrument_id: string | null;
  readonly is_off_session: boolean;
}

/** An intended call of a provider, for as long as this process has it for itself. */
export interface LeasedAttempt {
  readonly attemptId: string;
  readonly lease: bigint;
  readonly tries: number;
  readonly payment: CalledPayment;
  /** Of the instrument that is charged; empty = none is. */
  readonly providerToken: string;
}

export interface StoredCallback {
  readonly callbackId: string;
  readonly provider: string;
  /** Nil = it came to the address that the shared accounts have in common. */
  readonly accountId: string;
  readonly body: Buffer;
  readonly traceparent: string;
  readonly tries: number;
}

export interface NewCallback extends Omit<StoredCallback, 'tries'> {
  readonly eventId: string;
  /** Our id of the payment that it reports about first, when it looks like one. */
  readonly reference: string | undefined;
}

/** Of the payment that a report names. */
export interface PaymentOwner {
  readonly merchantId: string;
  readonly accountId: string;
  readonly traceparent: string;
  /** '' while the provider's answer to our call has not been recorded. */
  readonly providerPaymentId: string;
  readonly keepsInstrument: boolean;
}

/** What is known of a callback before it is kept. */
export interface KnownCallback {
  /** This event of the account was received before. */
  readonly isKept: boolean;
  readonly owner: PaymentOwner | undefined;
}

export interface CallbackStore {
  /** One answer for each pair of a callback and a reference of one of its reports. Nothing is written. */
  lookUp(asked: readonly AskedCallback[]): Promise<readonly KnownCallback[]>;
  /** False when it was kept before. */
  keep(callback: NewCallback): Promise<boolean>;
  /** In the transaction that applies it, which fails on the key when another one has kept it meanwhile. */
  keptApplied(callback: NewCallback): Alongside;
  due(): Promise<readonly StoredCallback[]>;
  applied(callbackIds: readonly string[]): Promise<void>;
  /** Null = it is kept and no longer tried. */
  postpone(callbackId: string, dueAt: Date | null): Promise<void>;
  ownerOf(paymentId: string): Promise<PaymentOwner | undefined>;
}

export type AskedCallback = Pick<NewCallback, 'accountId' | 'eventId' | 'reference'>;

/** A renewal that is to be charged. */
export interface AskedCharge {
  readonly merchantId: string;
  readonly orderId: bigint;
  readonly subscriptionId: string;
  readonly term: number;
  readonly slot: number;
  /** '' when what was asked for cannot be the id of one. */
  readonly instrumentId: string;
  readonly livemode: boolean;
}

/** What a customer let us keep, and the account that charges it. */
export interface KeptInstrument {
  readonly method: string;
  readonly provider: string;
  readonly accountId: string;
  readonly instrument: Instrument | undefined;
}
