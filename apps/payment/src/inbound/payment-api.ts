/** Answers PaymentApi. */
import { randomUUIDv7 } from 'node:crypto';
import { publicId } from '@tillstream/database/public-id';
import type { Clock } from '@tillstream/messaging/clock';
import type { Answer } from '@tillstream/messaging/perform';
import type { Envelope } from '@tillstream/messaging/keeper';
import type {
  CreatePaymentRequest,
  Payment as WirePayment,
  PaymentApiService,
} from '@tillstream/proto/payment/v1/payment_api';
import { Refused } from '@tillstream/rpc/refusals';
import type { Handlers } from '@tillstream/rpc/server';
import { beginAttempt, type Beginning, type EarlierAttempt, type Wanted } from '../domain/begin-attempt.ts';
import type { Method } from '../domain/methods.ts';
import { IntentReached, type PaymentIntent } from '../domain/payment-intent.ts';
import type { PaymentCommand, PaymentEvent, PaymentRefusal, PaymentState, PaymentStatus } from '../domain/payment.ts';
import { expiresAt, expiryMinutesOf, maxExpiryMinutes, minExpiryMinutes } from '../domain/policies.ts';
import type { Wanted as RouteWanted } from '../domain/routing.ts';
import type { Account, CalledPayment } from '../ports.ts';

interface OrderPayment extends CalledPayment {
  readonly status: PaymentStatus;
}

/** In one of its modes. The id is '' where a caller of the version before does not say it. */
export interface Merchant {
  readonly merchantId: string;
  readonly livemode: boolean;
}

export interface PaymentApiParts {
  readonly payments: {
    /** Newest first. */
    ofOrder(
      merchantId: string,
      orderId: bigint,
    ): Promise<{ readonly intent: PaymentIntent | undefined; readonly payments: readonly OrderPayment[] }>;
    mayAsk(merchantId: string, paymentId: string): Promise<boolean>;
    get(keys: readonly { merchantId: string; paymentId: string }[]): Promise<readonly WirePayment[]>;
    list(
      merchantId: string,
      filter: { orderId: bigint; status: string; limit: number; startingAfter: string; endingBefore: string },
    ): Promise<{ payments: readonly WirePayment[]; hasMore: boolean }>;
  };
  readonly performer: {
    perform(
      envelopes: readonly Envelope<PaymentCommand>[],
    ): Promise<readonly Answer<PaymentState, PaymentEvent, PaymentRefusal>[]>;
  };
  readonly calls: {
    open(paymentId?: string): Promise<number>;
    ask(payment: CalledPayment): Promise<void>;
    withdraw(payment: CalledPayment): Promise<string | undefined>;
  };
  readonly callbacks: {
    receive(address: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<boolean>;
  };
  /** The account that takes this payment; undefined = none of the merchant's. */
  accountFor(merchant: Merchant, wanted: RouteWanted): Promise<Pick<Account, 'accountId' | 'providerName'> | undefined>;
  /** What customers may choose from, the default first. */
  methods(
    merchant: Merchant,
    wanted: { readonly currency: string; readonly country: string },
  ): Promise<readonly Method[]>;
  readonly catalogue: readonly Method[];
  readonly clock: Clock;
}

const uniqueViolation = '23505';

export function answerPaymentApi(parts: PaymentApiParts): Handlers<typeof PaymentApiService> {
  const { payments, performer, calls, callbacks, clock } = parts;

  const one = async (merchantId: string, paymentId: string): Promise<WirePayment> => {
    const [found] = await payments.get([{ merchantId, paymentId }]);
    if (found === undefined) throw new Refused('payment_not_found');
    return found;
  };

  /** Answers its status then; undefined = its page came meanwhile and is open. */
  const withdraw = async (merchantId: string, asked: WirePayment): Promise<string | undefined> => {
    const ofOrder = await payments.ofOrder(merchantId, asked.orderId);
    const live = ofOrder.payments.find((each) => publicId('pay', each.payment_id) === asked.id);
    if (live === undefined || !isOpen(live.status)) {
      // The provider may have said meanwhile that it has closed the page, for an earlier try of this.
      if ((await one(merchantId, asked.id)).status === 'withdrawn') return 'withdrawn';
      throw new Refused('payment_not_withdrawable');
    }
    const closedPage = await calls.withdraw(live).catch((error: unknown) => {
      const refused = new Refused('unavailable', {
        detail: 'The payment provider does not answer: whether its page is closed is not known. Ask again.',
      });
      refused.cause = error;
      throw refused;
    });
    if (closedPage === undefined) throw new Refused('payment_not_withdrawable');
    const now = clock.now(merchantId);
    const [answer] = await performer.perform([
      { id: live.payment_id, merchantId, command: { type: 'withdraw', at: now, closedPage }, now },
    ]);
    if (answer?.answer === 'refused') throw new Refused(answer.reason);
    return answer === undefined || isOpen(answer.state.status) ? undefined : answer.state.status;
  };

  const create = async (request: CreatePaymentRequest): Promise<string> => {
    const { merchantId, orderId } = request;
    const beginning = await beginningOf(request);
    if (beginning.do === 'go on') return beginning.id;
    const { method, currency, country, returnUrl, locale, description, livemode, saveInstrument: save } = request;
    // What cannot be charged again is not kept, whatever was agreed to.
    const account = await parts.accountFor(
      { merchantId, livemode },
      { method, currency, country, amountMinor: beginning.amountMinor, save },
    );
    if (account === undefined) throw new Refused('payment_method_not_supported', { param: 'payment_method' });
    const expiryMinutes = expiryMinutesOf(request.expiryMinutes);
    if (expiryMinutes === undefined)
      throw new Refused('invalid_field', {
        param: 'expiry_minutes',
        detail: `From ${minExpiryMinutes} to ${maxExpiryMinutes}.`,
      });
    const id = randomUUIDv7();
    const now = clock.now(merchantId);
    const asked = {
      orderId,
      livemode,
      orderMinor: request.amountMinor,
      amountMinor: beginning.amountMinor,
      currency,
      method,
      provider: account.providerName,
      accountId: account.accountId,
      returnUrl,
      locale,
      description,
      createdAt: now,
      expiresAt: expiresAt(now, expiryMinutes),
      savesInstrumentId: save ? randomUUIDv7() : '',
      renewal: undefined,
      instrumentId: '',
      instrument: undefined,
    };
    try {
      const [answer] = await performer.perform([{ id, merchantId, command: { type: 'create', asked }, now }]);
      if (answer?.answer === 'refused') throw new Refused(answer.reason);
      return id;
    } catch (error) {
      if (!isTaken(error) && !(error instanceof IntentReached)) throw error;
      // Another click began one at the same moment, or another attempt has paid meanwhile.
      const again = await beginningOf(request);
      if (again.do === 'go on') return again.id;
      throw error;
    }
  };

  /** Throws what is refused. */
  const beginningOf = async (request: CreatePaymentRequest): Promise<Exclude<Beginning, { do: 'refuse' }>> => {
    const { intent, payments: earlier } = await payments.ofOrder(request.merchantId, request.orderId);
    const beginning = beginAttempt(intent, earlier.map(toEarlier), wantedOf(request));
    if (beginning.do === 'refuse') throw new Refused(beginning.reason);
    return beginning;
  };

  return {
    async createPayment(request) {
      const id = await create(request);
      // Inline, so that the customer's click leads on; what fails here is taken up by the worker with the same key.
      await calls.open(id);
      return { payment: await one(request.merchantId, id) };
    },
    async getPayments(request) {
      return { payments: [...(await payments.get(request.keys.slice(0, 500)))] };
    },
    async listPayments(request) {
      const { payments: found, hasMore } = await payments.list(request.merchantId, request);
      return { payments: [...found], hasMore };
    },
    async refreshPayment(request) {
      const [newest] = (await payments.ofOrder(request.merchantId, request.orderId)).payments;
      if (newest === undefined) return { payment: undefined };
      const isOpen = ['created', 'seen', 'processing', 'confirmed'].includes(newest.status);
      if (
        isOpen &&
        (newest.provider_payment_id !== '' || newest.is_off_session) &&
        (await payments.mayAsk(newest.merchant_id, newest.payment_id))
      ) {
        // A provider that does not answer is no reason to show the customer nothing.
        await calls.ask(newest).catch(() => undefined);
      } else if (isOpen && newest.provider_payment_id === '') {
        await calls.open(newest.payment_id);
      }
      return { payment: await one(request.merchantId, newest.payment_id) };
    },
    async withdrawPayment(request) {
      const found = await one(request.merchantId, request.paymentId);
      if (found.status === 'withdrawn') return { payment: found };
      // A page that came while the provider was asked is closed the second time; it has only one.
      const status = (await withdraw(request.merchantId, found)) ?? (await withdraw(request.merchantId, found));
      if (status !== 'withdrawn') throw new Refused('payment_not_withdrawable');
      return { payment: await one(request.merchantId, request.paymentId) };
    },
    async listMethods({ merchantId, livemode, currency, country }) {
      const methods = await parts.methods({ merchantId, livemode }, { currency, country });
      return { methods: [...methods], catalogue: [...parts.catalogue] };
    },
    async receiveCallback(request) {
      return { isNew: await callbacks.receive(request.provider, request.headers, request.body) };
    },
  };
}

function wantedOf({ method, amountMinor, currency, saveInstrument }: CreatePaymentRequest): Wanted {
  return { method, orderMinor: amountMinor, currency, savesInstrument: saveInstrument };
}

function toEarlier(row: OrderPayment): EarlierAttempt {
  return {
    id: row.payment_id,
    status: row.status,
    method: row.method,
    amountMinor: row.amount_minor,
    currency: row.currency,
    savesInstrument: row.saves_instrument_id !== null,
    isOffSession: row.is_off_session,
  };
}

function isOpen(status: string): boolean {
  return status === 'created' || status === 'seen';
}

function isTaken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === uniqueViolation;
}
