/**
 * A provider's callback: checked, kept as it came, applied. Where nothing stands in the way it is kept and applied in one
 * commit; else it is kept alone and applied afterwards. The provider hears 200 after the commit, never before.
 */
import { randomUUIDv7 } from 'node:crypto';
import type { Clock } from '@tillstream/messaging/clock';
import { gather } from '@tillstream/messaging/gather';
import type { Envelope } from '@tillstream/messaging/keeper';
import type { Log } from '@tillstream/messaging/log';
import type { Alongside } from '@tillstream/messaging/perform';
import { Refused } from '@tillstream/rpc/refusals';
import { currentTraceparent, inSpan } from '@tillstream/telemetry/trace';
import { probe } from '@tillstream/telemetry/probe';
import { commandOf, type Fact } from '../domain/fact.ts';
import type { PaymentCommand } from '../domain/payment.ts';

interface Stored {
  readonly callbackId: string;
  readonly provider: string;
  readonly body: Buffer;
  readonly traceparent: string;
  readonly tries: number;
}

interface Read {
  readonly eventId: string;
  readonly fact: Fact;
}

interface New extends Omit<Stored, 'tries'> {
  readonly eventId: string;
  readonly reference: string | undefined;
}

interface Owner {
  readonly merchantId: string;
  readonly traceparent: string;
  readonly provider: string;
  readonly providerPaymentId: string;
  readonly keepsInstrument: boolean;
}

interface Known {
  readonly isKept: boolean;
  readonly owner: Owner | undefined;
}

export interface CallbackParts {
  readonly store: {
    lookUp(callbacks: readonly New[]): Promise<readonly Known[]>;
    keep(callback: New): Promise<boolean>;
    keptApplied(callback: New): Alongside;
    due(): Promise<readonly Stored[]>;
    applied(callbackIds: readonly string[]): Promise<void>;
    postpone(callbackId: string, dueAt: Date | null): Promise<void>;
    ownerOf(paymentId: string): Promise<Owner | undefined>;
  };
  /** Undefined when there is no such provider. */
  provider(name: string):
    | {
        readCallback(headers: Readonly<Record<string, string>>, body: Uint8Array, now: Date): Read | undefined;
        readStored(body: Uint8Array): Read | undefined;
        ask(reference: string, asOf: Date): Promise<Fact | undefined>;
      }
    | undefined;
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
const uniqueViolation = '23505';

export class CallbackDesk {
  readonly #parts: CallbackParts;
  readonly #lookUp: (callback: New) => Promise<Known | undefined>;

  constructor(parts: CallbackParts) {
    this.#parts = parts;
    const lookUp = gather((callbacks: readonly New[]) => parts.store.lookUp(callbacks));
    this.#lookUp = async (callback) => (await lookUp('', [callback]))[0];
  }

  /** Resolves once it is kept. True when it was new. */
  async receive(providerName: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<boolean> {
    const { store, log } = this.#parts;
    const provider = this.#parts.provider(providerName);
    if (provider === undefined) throw new Refused('provider_not_found');
    // The provider's time is the wall's, whatever a merchant's test clock says.
    const read = provider.readCallback(headers, body, new Date());
    if (read === undefined) throw new Refused('callback_not_authentic');
    const { reference } = read.fact;
    const callback: New = {
      callbackId: randomUUIDv7(),
      provider: providerName,
      body: Buffer.from(body),
      traceparent: currentTraceparent(),
      eventId: read.eventId,
      reference: isUuid.test(reference) ? reference : undefined,
    };
    const known = await this.#lookUp(callback);
    if (known?.isKept === true) return false;
    const done = await this.#keepAndApply(callback, read.fact, known?.owner);
    if (done !== undefined) return done === 'new';
    if (!(await store.keep(callback))) return false;
    probe('callback kept');
    try {
      await this.#apply({ ...callback, tries: 0 }, read);
    } catch (error) {
      // It is kept: the worker applies it.
      log.warn({ err: error, callback_id: callback.callbackId }, 'a callback could not be applied yet');
    }
    return true;
  }

  /** Undefined when it must be kept alone: a person must look, the provider must be asked, or something failed. */
  async #keepAndApply(callback: New, fact: Fact, owner: Owner | undefined): Promise<'new' | 'kept before' | undefined> {
    const { store, performer, clock, log } = this.#parts;
    if (owner === undefined || !isAbout(owner, callback, fact) || owner.keepsInstrument) return undefined;
    const { merchantId, traceparent } = owner;
    const now = clock.now(merchantId);
    const command = commandOf(fact, now);
    if (command === undefined) return undefined;
    try {
      // The story goes on in the trace of the customer's click; a link leads to the trace that the callback came in.
      await inSpan('apply callback', { parent: traceparent, links: [callback.traceparent] }, () =>
        performer.perform([{ id: fact.reference, merchantId, command, now }], store.keptApplied(callback)),
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
      const read = this.#parts.provider(callback.provider)?.readStored(callback.body);
      if (read === undefined) {
        await this.#parts.store.postpone(callback.callbackId, null);
        continue;
      }
      try {
        await this.#apply(callback, read);
      } catch (error) {
        // One that cannot be applied holds up no other; it is due again in a minute.
        this.#parts.log.warn({ err: error, callback_id: callback.callbackId }, 'a callback could not be applied yet');
      }
    }
    return due.length;
  }

  async #apply(callback: Stored, { fact }: Read): Promise<void> {
    const { store, performer, clock } = this.#parts;
    const owner = isUuid.test(fact.reference) ? await store.ownerOf(fact.reference) : undefined;
    if (owner === undefined) {
      // It may have overtaken our own commit.
      await store.postpone(callback.callbackId, callback.tries >= mostTries ? null : new Date(Date.now() + pauseMs));
      return;
    }
    const { merchantId, traceparent } = owner;
    if (!isAbout(owner, callback, fact)) {
      // Signed, but about another payment of the provider than the one we opened: a person must look.
      this.#parts.log.warn({ callback_id: callback.callbackId }, 'a callback names a payment that is not its own');
      await store.postpone(callback.callbackId, null);
      return;
    }
    const now = clock.now(merchantId);
    const command = commandOf(owner.keepsInstrument ? await this.#withInstrument(callback, fact, now) : fact, now);
    if (command !== undefined) {
      // The story goes on in the trace of the customer's click; a link leads to the trace that the callback came in.
      await inSpan('apply callback', { parent: traceparent, links: [callback.traceparent] }, () =>
        performer.performOnce([{ id: fact.reference, merchantId, command, now, messageId: callback.callbackId }]),
      );
    }
    await store.applied([callback.callbackId]);
  }

  /** What the provider charges by later is in no callback: it is asked for. */
  async #withInstrument(callback: Stored, fact: Fact, now: Date): Promise<Fact> {
    if (fact.status !== 'succeeded') return fact;
    const asked = await this.#parts.provider(callback.provider)?.ask(fact.reference, now);
    return { ...fact, instrumentToken: asked?.instrumentToken ?? '' };
  }
}

/** Signed, and about the payment of the provider that we opened. */
function isAbout(owner: Owner, callback: { readonly provider: string }, fact: Fact): boolean {
  return owner.provider === callback.provider && ['', fact.providerPaymentId].includes(owner.providerPaymentId);
}

function isTaken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === uniqueViolation;
}
