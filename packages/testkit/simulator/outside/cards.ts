/** What the cards of the sandbox do, by their last four digits. */
export const cards = {
  pays: '4242',
  declined: '0002',
  poor: '9995',
  strong: '3184',
  'pays once': '0341',
  'silently pays': '7775',
  'silently declined': '8880',
} as const;

export type Card = keyof typeof cards;

export interface Verdict {
  readonly status: 'succeeded' | 'failed';
  readonly code: string;
  readonly isSilent: boolean;
}

export function verdictOn(last4: string, isRenewal: boolean): Verdict {
  const isSilent = last4 === cards['silently pays'] || last4 === cards['silently declined'];
  const isDeclined = last4 === cards.declined || last4 === cards['silently declined'];
  if (isDeclined || (isRenewal && last4 === cards['pays once']))
    return { status: 'failed', code: 'card_declined', isSilent };
  if (last4 === cards.poor) return { status: 'failed', code: 'insufficient_funds', isSilent };
  return { status: 'succeeded', code: '', isSilent };
}
