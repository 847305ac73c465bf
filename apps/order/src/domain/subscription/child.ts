/** Child orders: each pays one further term of a subscription (R86). */
import type { Instrument } from '@tillstream/instrument/instrument';
import { shareOf } from '@tillstream/money/money';
import type { Item, PaymentShown, Placed, PlanType } from '../placed.ts';

/** The instrument that paid the term before: the child shows it before it is paid. */
export interface SavedInstrument {
  readonly systemName: string;
  readonly instrument: Instrument | undefined;
}

/** Which term of which subscription a child order pays. */
export interface Renewal {
  /** {parent order id}_{parent order item id} (D4) */
  readonly subscriptionId: string;
  /** The parent's is 1. */
  readonly term: number;
  readonly parentOrderId: bigint;
  readonly parentItemId: bigint;
  /** Its page is where the subscription is cancelled and restored (R76). */
  readonly parentToken: string;
  readonly previousOrderId: bigint;
  readonly previousItemId: bigint;
  readonly type: PlanType;
  readonly period: string;
  readonly isConversionFromTrial: boolean;
  /** Of the term that runs, the one before the child's: its end, the first charge before it, and what both count from. */
  readonly expiresAt: Date;
  readonly nextChargeAt: Date;
  readonly anchorOn: string;
  readonly periods: number;
  /** Empty when it is paid by hand. */
  readonly instrumentId: string;
  readonly saved: SavedInstrument;
}

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

/** What is known of a child before it has a number. */
export interface ChildDraft {
  readonly parent: Placed;
  readonly method: ChosenMethod;
  readonly renewal: Renewal;
  /** Per unit. */
  readonly priceMinor: bigint;
  readonly shopName: string;
  readonly supportEmail: string;
  readonly commissionBp: number;
}

/** What only the outside can give. */
export interface ChildNumbers {
  readonly orderId: bigint;
  readonly itemId: bigint;
  readonly token: string;
  readonly createdAt: Date;
}

/**
 * The parent once more, with the one item that renews at the price of its term. Customer, language, currency, time zone
 * and whatever the merchant attached are the parent's; what was agreed to then is the consent now. Nobody is reminded of it:
 * a renewal has mails of its own. Undefined when the parent has no such item.
 */
export function draftChild(draft: ChildDraft, numbers: ChildNumbers): Placed | undefined {
  const { parent, renewal, priceMinor, commissionBp } = draft;
  const renewed = parent.items.find((item) => item.id === renewal.parentItemId);
  if (renewed === undefined) return undefined;
  const amountMinor = priceMinor * BigInt(renewed.quantity);
  const item: Item = {
    ...renewed,
    id: numbers.itemId,
    priceMinor,
    discountMinor: 0n,
    vatMinor: 0n,
    amountMinor,
    marginMinor: amountMinor - shareOf(amountMinor, commissionBp),
  };
  return {
    ...parent,
    orderId: numbers.orderId,
    token: numbers.token,
    createdAt: numbers.createdAt,
    cartId: '',
    cartVersion: 0,
    shopName: draft.shopName,
    supportEmail: draft.supportEmail,
    items: [item],
    totalMinor: amountMinor,
    ...draft.method,
    reminders: [],
    renewal,
  };
}
