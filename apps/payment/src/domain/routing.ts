/**
 * Which account takes a payment: the first active one, in the merchant's order, that offers the method for the currency, the
 * country and the amount. What no account offers is refused before any provider is called.
 */

/** One method as a provider offers it. A limit that is absent is one that the provider does not have. */
export interface Offer {
  /** A code of the method catalogue. */
  readonly method: string;
  /** ISO 4217; absent = every currency. */
  readonly currencies?: readonly string[];
  /** Where the buyer is, ISO 3166-1 alpha-2; absent = every country. */
  readonly countries?: readonly string[];
  /** By currency; a currency that is not named has no limits. */
  readonly limits?: Readonly<Record<string, AmountLimits>>;
}

export interface AmountLimits {
  readonly minMinor?: bigint;
  readonly maxMinor?: bigint;
}

/** What routing needs to know of an account. */
export interface Candidate {
  readonly state: 'active' | 'disabled';
  readonly offers: readonly Offer[];
  /** It can show a customer a page. */
  readonly canOpenPage: boolean;
  /** It can charge what a customer let us keep. */
  readonly canCharge: boolean;
}

export interface Wanted {
  readonly method: string;
  /** '' = not known yet: any. */
  readonly currency: string;
  /** '' = not known: any. */
  readonly country: string;
  /** Undefined = not known yet: any. */
  readonly amountMinor: bigint | undefined;
  /** The instrument is kept and charged again later. */
  readonly save: boolean;
}

/** `candidates` in the merchant's order. Undefined = no account of the merchant offers this. */
export function route<C extends Candidate>(candidates: readonly C[], wanted: Wanted): C | undefined {
  return candidates.find(
    (each) =>
      each.state === 'active' &&
      each.canOpenPage &&
      (each.canCharge || !wanted.save) &&
      each.offers.some((offer) => covers(offer, wanted)),
  );
}

function covers(offer: Offer, { method, currency, country, amountMinor }: Wanted): boolean {
  const { currencies, countries } = offer;
  if (offer.method !== method) return false;
  if (currencies !== undefined && currency !== '' && !currencies.includes(currency)) return false;
  if (countries !== undefined && country !== '' && !countries.includes(country)) return false;
  const { minMinor, maxMinor } = offer.limits?.[currency] ?? {};
  // Nothing is charged when only an instrument is kept: limits are about money that moves.
  if (amountMinor === undefined || amountMinor === 0n) return true;
  return (minMinor === undefined || amountMinor >= minMinor) && (maxMinor === undefined || amountMinor <= maxMinor);
}
