/** Child orders: each pays one further term of a subscription (R86). */
import { untaxed } from '@tillstream/pricing/quote';
import type { OrderDraft } from '../draft.ts';
import type { PaymentShown, Placed } from '../placed.ts';
import type { Renewal, SavedCard } from './renewal.ts';

/** Where a child comes from. */
export interface Lineage {
  readonly parent: Placed;
  /** Of the term before; undefined as long as its order is not paid here. */
  readonly lastPayment: PaymentShown | undefined;
  /** The order of the term before: the parent, or its last child. */
  readonly previous: Pick<Placed, 'paymentMethod' | 'renewal'> | undefined;
}

const noCard: SavedCard = { systemName: '', cardType: '', cardLast4: '', cardExpiration: '' };

/** The card behind an instrument: the one that paid last, or, when something else did, the one that was charged before. */
export function cardOf({ lastPayment, previous }: Lineage, instrumentId: string): SavedCard {
  if (lastPayment?.instrumentId === instrumentId && lastPayment.cardLast4 !== '') {
    const { systemName, cardType, cardLast4, cardExpiration } = lastPayment;
    return { systemName, cardType, cardLast4, cardExpiration };
  }
  return previous?.renewal?.instrumentId === instrumentId ? previous.renewal.saved : noCard;
}

/** What the term before was paid with, if that is what is charged now; with nothing to charge, whatever was chosen last. */
export function methodOf({ parent, lastPayment, previous }: Lineage, instrumentId: string): string {
  const isLast = lastPayment?.instrumentId === instrumentId && lastPayment.method !== '';
  return isLast ? lastPayment.method : (previous?.paymentMethod ?? parent.paymentMethod);
}

/** What a child is made from. */
export interface ChildTerms {
  readonly parent: Placed;
  readonly paymentMethod: string;
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
  const { parent, renewal, priceMinor, paymentMethod, shopName, supportEmail, commissionBp } = child;
  const renewed = parent.items.find((item) => item.id === renewal.parentItemId);
  if (renewed === undefined) return undefined;
  const { livemode, currency, locale, timeZone, customer, autoRenew, externalId, additionalData, metadata, consent } =
    parent;
  return {
    source: { kind: 'renewal', renewal },
    ...{ livemode, currency, locale, timeZone, customer, autoRenew, externalId, additionalData, metadata, consent },
    ...{ paymentMethod, shopName, supportEmail, commissionBp },
    items: [{ ...renewed, priceMinor }],
    place: untaxed(customer.country),
    adjustments: [],
    reminders: [],
  };
}
