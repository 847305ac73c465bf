/**
 * How messages carry an instrument. Senders fill the card's three fields beside it as long as a consumer that knows only
 * these may run; a message that has only these is read as an instrument (docs/decisions/instruments.md).
 */
import type { Instrument as WireInstrument } from '@tillstream/proto/instrument/v1/instrument';
import { bankAccount, card, cryptoAddress, displayOf, wallet, type Instrument } from './instrument.ts';

export interface InstrumentFields {
  readonly instrument: WireInstrument | undefined;
  readonly cardType: string;
  readonly cardLast4: string;
  readonly cardExpiration: string;
}

export function instrumentFields(instrument: Instrument | undefined): InstrumentFields {
  const shown = instrument?.kind === 'card' ? instrument.details : undefined;
  return {
    instrument: instrument === undefined ? undefined : toWire(instrument),
    cardType: shown?.brand ?? '',
    cardLast4: shown?.last4 ?? '',
    cardExpiration: shown?.expiration ?? '',
  };
}

/** Undefined when the message names none, or one of a kind that only a newer sender knows. */
export function instrumentOf(message: InstrumentFields): Instrument | undefined {
  const { instrument, cardType: brand, cardLast4: last4, cardExpiration: expiration } = message;
  if (instrument === undefined) return card({ brand, last4, expiration });
  switch (instrument.details?.$case) {
    case 'card':
      return card(instrument.details.value);
    case 'bankAccount': {
      const { last4: number, ...known } = instrument.details.value;
      return bankAccount({ ...known, number });
    }
    case 'wallet':
      return wallet(instrument.details.value);
    case 'cryptoAddress':
      return cryptoAddress(instrument.details.value);
    default:
      return undefined;
  }
}

function toWire(instrument: Instrument): WireInstrument {
  return { kind: instrument.kind, display: displayOf(instrument), details: detailsOf(instrument) };
}

function detailsOf(instrument: Instrument): WireInstrument['details'] {
  switch (instrument.kind) {
    case 'card':
      return { $case: 'card', value: instrument.details };
    case 'bank_account':
      return { $case: 'bankAccount', value: instrument.details };
    case 'wallet':
      return { $case: 'wallet', value: instrument.details };
    case 'crypto_address':
      return { $case: 'cryptoAddress', value: instrument.details };
  }
}
