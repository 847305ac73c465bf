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
  ['4000000000000341', { brand: 'Visa', outcome: 'pays' }],
  ['4000000000007775', { brand: 'Visa', outcome: 'pays', isSilent: true }],
  [
    '4000000000008880',
    { brand: 'Visa', outcome: 'declined', code: 'card_declined', words: 'The card was declined.', isSilent: true },
  ],
  ['4000000000000259', { brand: 'Visa', outcome: 'pays' }],
]);

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
  else if (year * 12 + month < now.getUTCFullYear() * 12 + now.getUTCMonth() + 1) faults.expiry = 'expiry_past';
  if (!/^\s*[0-9]{3,4}\s*$/.test(entry.cvc)) faults.cvc = 'cvc_wrong';
  if (rule === undefined || Object.keys(faults).length > 0) return faults;
  return { rule, last4: digits.slice(-4), expiration: `${String(month).padStart(2, '0')}/${year}` };
}
