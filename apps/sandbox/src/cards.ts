/** The published test numbers and what they do (spec: sandbox cards). Nothing else that looks like a card is taken. */
export interface CardRule {
  readonly brand: string;
  readonly outcome: 'pays' | 'declined';
  /** The provider's code and words, when declined. */
  readonly code?: string;
  readonly words?: string;
  readonly isStrong?: boolean;
  /** The customer is sent back without an answer; the outcome is known later. */
  readonly isSilent?: boolean;
  /** Whether it can be charged again without the customer. Absent = as it paid. */
  readonly renewal?: { readonly code: string; readonly words: string };
}

export const cards: ReadonlyMap<string, CardRule> = new Map<string, CardRule>([
  ['4242424242424242', { brand: 'Visa', outcome: 'pays' }],
  ['4000000000000002', { brand: 'Visa', outcome: 'declined', code: 'card_declined', words: 'The card was declined.' }],
  [
    '4000000000009995',
    {
      brand: 'Visa',
      outcome: 'declined',
      code: 'insufficient_funds',
      words: 'AUTHORIZATION DECLINED. Insufficient cash.',
    },
  ],
  ['4000002760003184', { brand: 'Visa', outcome: 'pays', isStrong: true }],
  [
    '4000000000000341',
    { brand: 'Visa', outcome: 'pays', renewal: { code: 'card_declined', words: 'The card was declined.' } },
  ],
  ['4000000000007775', { brand: 'Visa', outcome: 'pays', isSilent: true }],
  [
    '4000000000008880',
    { brand: 'Visa', outcome: 'declined', code: 'card_declined', words: 'The card was declined.', isSilent: true },
  ],
  ['4000000000000259', { brand: 'Visa', outcome: 'pays' }],
]);

const byLast4 = new Map([...cards].map(([number, rule]) => [number.slice(-4), rule]));

export interface Outcome {
  readonly status: 'succeeded' | 'failed';
  readonly failure_code: string;
  readonly failure_words: string;
}

export function outcomeOf(rule: CardRule): Outcome {
  return {
    status: rule.outcome === 'pays' ? 'succeeded' : 'failed',
    failure_code: rule.code ?? '',
    failure_words: rule.words ?? '',
  };
}

/** What a card that was kept does when it is charged on that date without the customer. */
export function chargeKept(
  card: { readonly last_4: string; readonly expiration: string },
  at: Date,
): Outcome & { readonly isSilent: boolean } {
  const rule = byLast4.get(card.last_4);
  const isSilent = rule?.isSilent === true;
  if (isOver(Number(card.expiration.slice(0, 2)), Number(card.expiration.slice(3)), at))
    return { status: 'failed', failure_code: 'expired_card', failure_words: 'The card has expired.', isSilent };
  const { code, words } = rule?.renewal ?? {};
  if (rule === undefined || code !== undefined)
    return { status: 'failed', failure_code: code ?? 'card_declined', failure_words: words ?? '', isSilent };
  return { ...outcomeOf(rule), isSilent };
}

/** A card is good until the end of the month that is on it. */
function isOver(month: number, year: number, at: Date): boolean {
  return year * 12 + month < at.getUTCFullYear() * 12 + at.getUTCMonth() + 1;
}

export interface CardEntry {
  readonly number: string;
  readonly expiry: string;
  readonly cvc: string;
}

export type CardFault = 'number_missing' | 'number_unknown' | 'expiry_wrong' | 'expiry_past' | 'cvc_wrong';

export interface ReadCard {
  readonly rule: CardRule;
  readonly last4: string;
  /** MM/YYYY */
  readonly expiration: string;
}

/** The card, or what is wrong beside which field. The number goes no further than this. */
export function readCard(
  entry: CardEntry,
  now: Date,
): ReadCard | { readonly number?: CardFault; readonly expiry?: CardFault; readonly cvc?: CardFault } {
  const digits = entry.number.replaceAll(/[\s-]/g, '');
  const rule = cards.get(digits);
  const date = /^\s*(0[1-9]|1[0-2])\s*\/?\s*(?:20)?([0-9]{2})\s*$/.exec(entry.expiry);
  const [month, year] = [Number(date?.[1]), 2000 + Number(date?.[2])];
  const faults: { number?: CardFault; expiry?: CardFault; cvc?: CardFault } = {};
  if (rule === undefined) faults.number = digits === '' ? 'number_missing' : 'number_unknown';
  if (date === null) faults.expiry = 'expiry_wrong';
  else if (isOver(month, year, now)) faults.expiry = 'expiry_past';
  if (!/^\s*[0-9]{3,4}\s*$/.test(entry.cvc)) faults.cvc = 'cvc_wrong';
  if (rule === undefined || Object.keys(faults).length > 0) return faults;
  return { rule, last4: digits.slice(-4), expiration: `${String(month).padStart(2, '0')}/${year}` };
}
