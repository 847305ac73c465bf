/**
 * A provider's callback: checked with the secret of the account that its address names, kept as it came, applied. Where nothing
 * stands in the way it is kept and applied in one commit; else it is kept alone and applied afterwards. The provider hears 200
 * after the commit, never before.
 */
import { createHash, randomUUIDv7 } from 'node:crypto';
import type { Clock } from '@tillstream/messaging/clock';
import { gather } from '@tillstream/messaging/gather';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Log } from '@tillstream/messaging/log';
import type { Alongside } from '@tillstream/messaging/perform';
import { Refused } from '@tillstream/rpc/refusals';
import { currentTraceparent, inSpan } from '@tillstream/telemetry/trace';
import { probe } from '@tillstream/telemetry/probe';
import type { PaymentCommand } from '../domain/payment.ts';
import { mayReport, sharedAddress } from '../domain/provider-account.ts';
import { commandOf, type PaymentReport, type ProviderReport } from '../domain/provider-report.ts';
import type {
  Account,
  AskedCallback,
  CallbackStore,
  Headers,
  KnownCallback,
  NewCallback,
  OfAccount,
  PaymentOwner,
  ProviderKind,
  ReceivedCallback,
  StoredCallback,
} from '../ports.ts';

export interface CallbackParts {
  readonly store: CallbackStore;
  /** By their names. */
  readonly kinds: ReadonlyMap<string, Pick<ProviderKind, 'readStored' | 'issued'>>;
  readonly accounts: {
    /** Undefined when the address names no account, or a disabled one. */
    byAddress(address: string): Promise<Pick<Account, 'accountId' | 'providerName' | 'provider'> | undefined>;
    of(payment: OfAccount): Promise<Pick<Account, 'provider'>>;
  };
  readonly performer: {
    perform(envelopes: readonly Envelope<PaymentCommand>[], beside: Alongside): Promise<unknown>;
    performOnce(envelopes: readonly Envelope<PaymentCommand>[]): Promise<unknown>;
  };
  readonly clock: Clock;
  readonly log: Log;
}

const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
// A payment that is unknown for two hours will not come: the callback is kept for a person.
const mostTries = 20;
const pauseMs = 30_000;
// More reports in one callback than a provider has reason to send; each is a row that the commit locks.
const maxReports = 50;
const uniqueViolation = '23505';

/** What became of a report: it is applied, its payment is not known yet, or a person must look at it. */
type Applied = 'applied' | 'not known' | 'held';

export class CallbackIntake {
  readonly #parts: CallbackParts;
  readonly #lookUp: (batchKey: string, callbacks: readonly AskedCallback[]) => Promise<readonly KnownCallback[]>;

  constructor(parts: CallbackParts) {
    this.#parts = parts;
    this.#lookUp = gather((callbacks: readonly AskedCallback[]) => parts.store.lookUp(callbacks));
  }

  /** Resolves once it is kept. True when it was new. `address` is the last part of the path it came to. */
  async receive(address: string, headers: Headers, body: Uint8Array): Promise<boolean> {
    const { store, log } = this.#parts;
    const { accountId, providerName, read } = await this.#read(address, headers, body);
    const references = read.reports.map((report) => referenceOf(report));
    const callback: NewCallback = {
      callbackId: randomUUIDv7(),
      provider: providerName,
      accountId,
      body: Buffer.from(body),
      traceparent: currentTraceparent(),
      eventId: read.eventId,
      reference: references[0],
    };
    const asked = references.length === 0 ? [undefined] : references;
    const known = await this.#lookUp(
      '',
      asked.map((reference) => ({ accountId, eventId: read.eventId, reference })),
    );
    if (known.some(({ isKept }) => isKept)) return false;
    const done = await this.#keepAndApply(callback, read.reports, known);
    if (done !== undefined) return done === 'new';
    if (!(await store.keep(callback))) return false;
    probe('callback kept');
    try {
      await this.#apply({ ...callback, tries: 0 }, read.reports);
    } catch (error) {
      // It is kept: the worker applies it.
      log.warn({ err: error, callback_id: callback.callbackId }, 'a callback could not be applied yet');
    }
    return true;
  }

  /** Refused when the address names no account, or when the callback is not signed with that account's secret. */
  async #read(
    address: string,
    headers: Headers,
    body: Uint8Array,
  ): Promise<{ readonly accountId: string; readonly providerName: string; readonly read: ReceivedCallback }> {
    // The provider's time is the wall's, whatever a merchant's test clock says.
    const now = new Date();
    const shared = this.#parts.kinds.get(address)?.issued;
    const account = shared === undefined ? await this.#parts.accounts.byAddress(address) : undefined;
    if (shared === undefined && account === undefined) throw new Refused('provider_not_found');
    const read = shared?.readShared(headers, body, now) ?? account?.provider.readCallback(headers, body, now);
    if (read === undefined || read.reports.length > maxReports) throw new Refused('callback_not_authentic');
    return { accountId: account?.accountId ?? sharedAddress, providerName: account?.providerName ?? address, read };
  }

  /** Undefined when it must be kept alone: a person must look, the provider must be asked, or something failed. */
  async #keepAndApply(
    callback: NewCallback,
    reports: readonly ProviderReport[],
    known: readonly KnownCallback[],
  ): Promise<'new' | 'kept before' | undefined> {
    const { store, performer, log } = this.#parts;
    const envelopes: Envelope<PaymentCommand>[] = [];
    let parent = '';
    for (const [index, report] of reports.entries()) {
      const owner = known[index]?.owner;
      if (report.about !== 'payment' || owner === undefined) return undefined;
      if (!isAbout(owner, callback, report) || owner.keepsInstrument) return undefined;
      parent ||= owner.traceparent;
      const envelope = this.#envelope(owner, report);
      if (envelope !== undefined) envelopes.push(envelope);
    }
    if (envelopes.length === 0) return undefined;
    try {
      // The story goes on in the trace of the customer's click; a link leads to the trace that the callback came in.
      await inSpan('apply callback', { parent, links: [callback.traceparent] }, () =>
        performer.perform(envelopes, store.keptApplied(callback)),
      );
      return 'new';
    } catch (error) {
      if (isTaken(error)) return 'kept before';
      log.warn({ err: error, callback_id: callback.callbackId }, 'a callback is kept first and applied afterwards');
      return undefined;
    }
  }

  /** Applies what a crash or an outage left behind; answers how many there were. */
  async applyDue(): Promise<number> {
    const due = await this.#parts.store.due();
    for (const callback of due) {
      const read = this.#parts.kinds.get(callback.provider)?.readStored(callback.body);
      if (read === undefined) {
        await this.#parts.store.postpone(callback.callbackId, null);
        continue;
      }
      try {
        await this.#apply(callback, read.reports);
      } catch (error) {
        // One that cannot be applied holds up no other; it is due again in a minute.
        this.#parts.log.warn({ err: error, callback_id: callback.callbackId }, 'a callback could not be applied yet');
      }
    }
    return due.length;
  }

  /** Each report by itself; the callback is settled when all are. */
  async #apply(callback: StoredCallback, reports: readonly ProviderReport[]): Promise<void> {
    const { store } = this.#parts;
    const became = new Set<Applied>();
    for (const [index, report] of reports.entries()) became.add(await this.#applyOne(callback, report, index));
    if (became.has('not known') && callback.tries < mostTries) {
      // It may have overtaken our own commit.
      await store.postpone(callback.callbackId, new Date(Date.now() + pauseMs));
    } else if (became.has('not known') || became.has('held')) {
      await store.postpone(callback.callbackId, null);
    } else {
      await store.applied([callback.callbackId]);
    }
  }

  async #applyOne(callback: StoredCallback, report: ProviderReport, index: number): Promise<Applied> {
    const { store, performer, log } = this.#parts;
    if (report.about !== 'payment') {
      // No machine of refunds or disputes hears it: it is kept, and a person must look.
      log.warn(
        { callback_id: callback.callbackId, about: report.about },
        'a callback reports what is not handled here',
      );
      return 'held';
    }
    const reference = referenceOf(report);
    const owner = reference === undefined ? undefined : await store.ownerOf(reference);
    if (owner === undefined) return 'not known';
    if (!isAbout(owner, callback, report)) {
      // Signed, but about a payment of another account, or another payment of the provider than the one we opened.
      log.warn({ callback_id: callback.callbackId }, 'a callback names a payment that is not its own');
      return 'held';
    }
    const whole = owner.keepsInstrument ? await this.#withInstrument(owner, report) : report;
    const envelope = this.#envelope(owner, whole);
    if (envelope === undefined) return 'applied';
    const messageId = index === 0 ? callback.callbackId : messageIdOf(callback.callbackId, index);
    // The story goes on in the trace of the customer's click; a link leads to the trace that the callback came in.
    await inSpan('apply callback', { parent: owner.traceparent, links: [callback.traceparent] }, () =>
      performer.performOnce([{ ...envelope, messageId }]),
    );
    return 'applied';
  }

  /** What the provider charges by later is in no callback: it is asked for. */
  async #withInstrument(owner: PaymentOwner, report: PaymentReport): Promise<PaymentReport> {
    if (report.status !== 'succeeded') return report;
    const { merchantId: merchant_id, accountId: account_id } = owner;
    const { provider } = await this.#parts.accounts.of({ merchant_id, account_id });
    const asked = await provider.ask?.(report.reference, this.#parts.clock.now(merchant_id));
    return { ...report, instrumentToken: asked?.instrumentToken ?? '' };
  }

  #envelope({ merchantId }: PaymentOwner, report: PaymentReport): Envelope<PaymentCommand> | undefined {
    const now = this.#parts.clock.now(merchantId);
    const command = commandOf(report, now);
    return command === undefined ? undefined : { id: report.reference, merchantId, command, now };
  }
}

/** Our payment's id, when it looks like one. */
function referenceOf({ reference }: ProviderReport): string | undefined {
  return isUuid.test(reference) ? reference : undefined;
}

/** Of the account that the callback came to, and about the payment of the provider that we opened. */
function isAbout(owner: PaymentOwner, callback: { readonly accountId: string }, report: PaymentReport): boolean {
  return mayReport(callback, owner) && ['', report.providerPaymentId].includes(owner.providerPaymentId);
}

/** Of the further reports of a callback: the same each time it is applied. */
function messageIdOf(callbackId: string, index: number): string {
  const hex = createHash('sha256').update(`${callbackId}|${index}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function isTaken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === uniqueViolation;
}
