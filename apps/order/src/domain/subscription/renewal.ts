/** What an order that renews knows of its renewal. */
import type { Instrument } from '@tillstream/instrument/instrument';
import type { PlanType } from '../item.ts';

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
