/** What was paid with, as orders and payments show it. */
import { displayOf, type Instrument } from '@tillstream/instrument/instrument';
import { instrumentOf, type InstrumentFields } from '@tillstream/instrument/wire';
import { z } from 'zod';

const display = z
  .string()
  .describe('What a person reads, in any language.')
  .meta({ examples: ['Visa •••• 4242'] });

const methodDetails = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('card'),
      display,
      brand: z.string(),
      last_4: z.string(),
      expiration: z.string().describe('MM/YYYY'),
    }),
    z.object({
      kind: z.literal('bank_account'),
      display,
      bank_name: z.string(),
      country: z.string().describe('ISO 3166 alpha-2'),
      last_4: z.string(),
    }),
    z.object({
      kind: z.literal('wallet'),
      display,
      name: z.string(),
      account: z.string().describe('Masked.'),
    }),
    z.object({
      kind: z.literal('crypto_address'),
      display,
      asset: z.string(),
      address: z.string().describe('Masked.'),
    }),
  ])
  .nullable()
  .describe('What was paid with, by its kind; null when it is not known. Never a full number.')
  .meta({
    examples: [{ kind: 'card', display: 'Visa •••• 4242', brand: 'Visa', last_4: '4242', expiration: '12/2034' }],
  });

/** `card` came first and stays; `method_details` says every kind. */
export const paidWithShape = {
  card: z.object({ type: z.string(), last_4: z.string(), expiration: z.string().describe('MM/YYYY') }).nullable(),
  method_details: methodDetails,
};

export function showPaidWith(message: InstrumentFields) {
  const instrument = instrumentOf(message);
  const card = instrument?.kind === 'card' ? instrument.details : undefined;
  return {
    card: card === undefined ? null : { type: card.brand, last_4: card.last4, expiration: card.expiration },
    method_details: instrument === undefined ? null : showDetails(instrument),
  };
}

function showDetails(instrument: Instrument): NonNullable<z.infer<typeof methodDetails>> {
  const shown = displayOf(instrument);
  switch (instrument.kind) {
    case 'card': {
      const { brand, last4, expiration } = instrument.details;
      return { kind: 'card', display: shown, brand, last_4: last4, expiration };
    }
    case 'bank_account': {
      const { bankName, country, last4 } = instrument.details;
      return { kind: 'bank_account', display: shown, bank_name: bankName, country, last_4: last4 };
    }
    case 'wallet':
      return { kind: 'wallet', display: shown, ...instrument.details };
    case 'crypto_address':
      return { kind: 'crypto_address', display: shown, ...instrument.details };
  }
}
