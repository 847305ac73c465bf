/**
 * What lines cost. The only place where a price is multiplied by a quantity, a discount is spread over lines, a tax is
 * computed and sums are added up: the cart's page, the order, a renewal and the notice of a renewal all ask it.
 *
 *   subtotal = unit price × quantity          (of each line)
 *   discount = the adjustments, one after the other, each on what the ones before it have left
 *   tax      = of what the discounts have left; a rate is part of the price or comes on top of it
 *   amount   = subtotal − discount + tax that comes on top: what the customer pays
 *
 * Every sum is in minor units of one currency. A fraction is rounded once per line, half away from zero; totals are sums of
 * rounded lines and never rounded themselves (docs/decisions/one-price.md).
 */
import { allocateByWeight, includedShareOf, shareOf } from '@tillstream/money/money';

export interface QuoteLine {
  /** Names the line in adjustments; one of each in a quote. */
  readonly id: string;
  /** Of the catalogue or of what was agreed on; never negative. */
  readonly unitPriceMinor: bigint;
  readonly quantity: number;
  /** Which tax rules apply to it; standardTax where nothing else is known. */
  readonly taxClass: string;
}

export const standardTax = 'standard';

/** What a tax rule may ask about the customer. Empty = not known yet, as on a cart's page. */
export interface Buyer {
  /** physical, legal */
  readonly type: string;
  readonly vatNumber: string;
}

export const unknownBuyer: Buyer = { type: '', vatNumber: '' };

export interface TaxRule {
  readonly code: string;
  readonly basisPoints: number;
  /** The price contains the tax; otherwise it comes on top. */
  readonly isIncluded: boolean;
  readonly taxClass: string;
  /** A legal buyer with a VAT number accounts for it: it is not charged when it would come on top. */
  readonly isReverseCharged: boolean;
  /** From the first instant on, until before the second. Undefined = always. */
  readonly from: Date | undefined;
  readonly until: Date | undefined;
}

/** Where the goods are supplied, and how that place taxes them. */
export interface Place {
  /** ISO 3166 alpha-2; empty = not known yet. */
  readonly country: string;
  readonly taxRules: readonly TaxRule[];
}

/** Nothing is taxed: prices are final prices until taxes are built (docs/decisions/margin-and-tax.md). */
export function untaxed(country: string): Place {
  return { country, taxRules: [] };
}

/** Takes something off: a share or a sum, of the whole order or of the lines that it names. */
export interface Adjustment {
  readonly code: string;
  readonly off:
    | { readonly type: 'percent'; readonly basisPoints: number }
    /** Of the lines together. More than they cost takes off what they cost. */
    | { readonly type: 'sum'; readonly minor: bigint };
  /** Undefined = every line. */
  readonly lineIds: readonly string[] | undefined;
}

export interface Question {
  readonly lines: readonly QuoteLine[];
  readonly buyer: Buyer;
  readonly place: Place;
  readonly adjustments: readonly Adjustment[];
  readonly at: Date;
}

export interface Part {
  readonly code: string;
  readonly minor: bigint;
}

interface Sums {
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  /** Included and on top. */
  readonly taxMinor: bigint;
  readonly amountMinor: bigint;
}

export interface QuotedLine extends QuoteLine, Sums {
  readonly discounts: readonly Part[];
  readonly taxes: readonly Part[];
}

export interface Quote {
  /** In the order asked. */
  readonly lines: readonly QuotedLine[];
  /** By code, over all lines. */
  readonly discounts: readonly Part[];
  readonly taxes: readonly Part[];
  readonly totals: Sums;
}

/** Throws RangeError for what cannot be priced: a negative price, discount or rate, a quantity that is no whole number. */
export function quote({ lines, buyer, place, adjustments, at }: Question): Quote {
  const subtotals = lines.map(subtotalOf);
  const discounts = discountsOf(lines, subtotals, adjustments);
  const quoted = lines.map((line, index): QuotedLine => {
    const subtotalMinor = subtotals[index] ?? 0n;
    const ofLine = discounts.map(({ code, parts }) => ({ code, minor: parts[index] ?? 0n }));
    const discountMinor = sumOf(ofLine);
    const leftMinor = subtotalMinor - discountMinor;
    const rules = place.taxRules.filter((rule) => applies(rule, line, buyer, at));
    const included = taxesOf(leftMinor, rules, true);
    const onTop = taxesOf(leftMinor - sumOf(included), rules, false);
    return {
      ...line,
      subtotalMinor,
      discountMinor,
      taxMinor: sumOf(included) + sumOf(onTop),
      amountMinor: leftMinor + sumOf(onTop),
      discounts: ofLine.filter(({ minor }) => minor !== 0n),
      taxes: [...included, ...onTop],
    };
  });
  const total = (of: (line: QuotedLine) => bigint) => quoted.reduce((sum, line) => sum + of(line), 0n);
  return {
    lines: quoted,
    discounts: byCode(quoted.flatMap((line) => line.discounts)),
    taxes: byCode(quoted.flatMap((line) => line.taxes)),
    totals: {
      subtotalMinor: total((line) => line.subtotalMinor),
      discountMinor: total((line) => line.discountMinor),
      taxMinor: total((line) => line.taxMinor),
      amountMinor: total((line) => line.amountMinor),
    },
  };
}

/** Before discounts and taxes. */
export function subtotalOf({ unitPriceMinor, quantity }: Pick<QuoteLine, 'unitPriceMinor' | 'quantity'>): bigint {
  if (unitPriceMinor < 0n) throw new RangeError('a price is never negative');
  if (!Number.isInteger(quantity) || quantity < 0) throw new RangeError(`a quantity is a whole number: ${quantity}`);
  return unitPriceMinor * BigInt(quantity);
}

function discountsOf(
  lines: readonly QuoteLine[],
  subtotals: readonly bigint[],
  adjustments: readonly Adjustment[],
): readonly { readonly code: string; readonly parts: readonly bigint[] }[] {
  let left = [...subtotals];
  return adjustments.map(({ code, off, lineIds }) => {
    const concerned = left.map((minor, index) =>
      lineIds === undefined || lineIds.includes(lines[index]?.id ?? '') ? minor : 0n,
    );
    const whole = concerned.reduce((sum, minor) => sum + minor, 0n);
    const wanted = off.type === 'sum' ? off.minor : shareOf(whole, off.basisPoints);
    if (wanted < 0n) throw new RangeError(`the adjustment ${code} adds instead of taking off`);
    const total = wanted > whole ? whole : wanted;
    // With nothing left to discount the weights are all zero, and no line may be given a share of it.
    const parts = whole === 0n ? concerned : allocateByWeight(total, concerned);
    left = left.map((minor, index) => minor - (parts[index] ?? 0n));
    return { code, parts };
  });
}

function applies(rule: TaxRule, line: QuoteLine, buyer: Buyer, at: Date): boolean {
  if (rule.taxClass !== line.taxClass) return false;
  if (rule.from !== undefined && at < rule.from) return false;
  if (rule.until !== undefined && at >= rule.until) return false;
  return rule.isIncluded || !rule.isReverseCharged || buyer.type !== 'legal' || buyer.vatNumber === '';
}

/** The rates of one kind together are rounded once; what they make is then divided among them. */
function taxesOf(minor: bigint, rules: readonly TaxRule[], isIncluded: boolean): readonly Part[] {
  const ofKind = rules.filter((rule) => rule.isIncluded === isIncluded);
  if (ofKind.some((rule) => rule.basisPoints < 0)) throw new RangeError('a tax rate is never negative');
  const together = ofKind.reduce((sum, rule) => sum + rule.basisPoints, 0);
  const total = isIncluded ? includedShareOf(minor, together) : shareOf(minor, together);
  const parts = allocateByWeight(
    total,
    ofKind.map((rule) => BigInt(rule.basisPoints)),
  );
  return ofKind.map(({ code }, index) => ({ code, minor: parts[index] ?? 0n }));
}

function byCode(parts: readonly Part[]): readonly Part[] {
  return [...Map.groupBy(parts, ({ code }) => code)].map(([code, all]) => ({ code, minor: sumOf(all) }));
}

function sumOf(parts: readonly Part[]): bigint {
  return parts.reduce((sum, { minor }) => sum + minor, 0n);
}
