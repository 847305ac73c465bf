/** Child orders: each pays one further term of a subscription (R86). */
import { untaxed } from '@tillstream/pricing/quote';
import type { OrderDraft } from '../draft.ts';
import type { PaymentShown, Placed } from '../placed.ts';
import type { Renewal, SavedInstrument } from './renewal.ts';

export type ChosenMethod = Pick<Placed, 'paymentMethod' | 'paymentSystemName'>;

/** Where a child comes from. */
export interface Lineage {
  readonly parent: Placed;
  /** Of the term before; undefined as long as its order is not paid here. */
  readonly lastPayment: PaymentShown | undefined;
  /** The order of the term before: the parent, or its last child. */
  readonly previous: (ChosenMethod & Pick<Placed, 'renewal'>) | undefined;
}

const unknown: SavedInstrument = { systemName: '', instrument: undefined };

/** What is behind that id: what paid last, or, when something else did, what was charged before. */
export function savedOf({ lastPayment, previous }: Lineage, instrumentId: string): SavedInstrument {
  if (lastPayment?.instrumentId === instrumentId && lastPayment.instrument !== undefined) {
    const { systemName, instrument } = lastPayment;
    return { systemName, instrument };
  }
  return previous?.renewal?.instrumentId === instrumentId ? previous.renewal.saved : unknown;
}

/** What the term before was paid with, if that is what is charged now; with nothing to charge, whatever was chosen last. */
export function methodOf({ parent, lastPayment, previous }: Lineage, instrumentId: string): ChosenMethod {
  if (lastPayment?.instrumentId === instrumentId && lastPayment.method !== '')
    return { paymentMethod: lastPayment.method, paymentSystemName: lastPayment.systemName };
  const { paymentMethod, paymentSystemName } = previous ?? parent;
  return { paymentMethod, paymentSystemName };
}

/** What a child is made from. */
export interface ChildTerms {
  readonly parent: Placed;
  readonly method: ChosenMethod;
  readonly renewal: Renewal;
  /** Per unit. */
  readonly priceMinor: bigint;
  readonly shopName: string;
  readonly supportEmail: string;
  readonly commissionBp: number;
}

/**
 * The parent once more, with the one item that renews at the price of its term. Customer, language, currency, time zone
 * and whatever the merchant attached are the parent's; what was agreed to then is the consent now. Nobody is reminded of it:
 * a renewal has mails of its own. Undefined when the parent has no such item.
 */
export function draftChild(child: ChildTerms): OrderDraft | undefined {
  const { parent, renewal, priceMinor, method, shopName, supportEmail, commissionBp } = child;
  const renewed = parent.items.find((item) => item.id === renewal.parentItemId);
  if (renewed === undefined) return undefined;
  const { livemode, currency, locale, timeZone, customer, autoRenew, externalId, additionalData, metadata, consent } =
    parent;
  return {
    source: {
      kind: 'renewal',
      renewal,
    },
    livemode,
    currency,
    locale,
    timeZone,
    customer,
    autoRenew,
    externalId,
    additionalData,
    metadata,
    consent,
    ...method,
    shopName,
    supportEmail,
    commissionBp,
    items: [
      {
        ...renewed,
        priceMinor,
      },
    ],
    place: untaxed(customer.country),
    adjustments: [],
    reminders: [],
  };
}
