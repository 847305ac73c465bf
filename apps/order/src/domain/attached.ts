/**
 * What a merchant attaches to an order for systems of their own: an external id and additional parameters. They go out
 * unchanged in the API, in webhooks and in the timeline. By a checkout link they pass through the customer's browser, so
 * they may say anything; what is not allowed is refused and changes nothing.
 */
import { looksLikeCardNumber, type FieldComplaint } from './customer.ts';

export interface AdditionalParameter {
  readonly name: string;
  readonly value: string;
}

export interface Attached {
  /** Empty = none. */
  readonly externalId: string;
  readonly additionalData: readonly AdditionalParameter[];
}

export const nothingAttached: Attached = { externalId: '', additionalData: [] };

// An id of another system: a UUID has 36 characters, an order number of a shop system some twenty; a column of such ids
// is usually a varchar(255).
export const maxExternalIdLength = 255;
// Each is in every webhook of the order: twenty of the longest are some 11 kB of a body that may have 256 kB.
export const maxAdditionalParameters = 20;
export const maxParameterNameLength = 64;
export const maxParameterValueLength = 500;
// What a name of a form field, of a column and of a JSON key may be made of everywhere, without quoting.
const nameForm = new RegExp(`^[A-Za-z0-9_.-]{1,${maxParameterNameLength}}$`);

/**
 * What a cart has attached after a further link: an external id that the link has replaces the one before; parameters are
 * joined by name, and the later value wins at the place of the earlier (docs/decisions/attached-by-link.md).
 */
export function attach(before: Attached, added: Attached): Attached {
  const values = new Map(before.additionalData.map(({ name, value }) => [name, value]));
  for (const { name, value } of added.additionalData) values.set(name, value);
  return {
    externalId: added.externalId === '' ? before.externalId : added.externalId,
    additionalData: [...values].map(([name, value]) => ({ name, value })),
  };
}

/** Every value that is not allowed, all at once. */
export function complainAboutAttached({ externalId, additionalData }: Attached): readonly FieldComplaint[] {
  const complaints = complainAboutText('external_id', externalId, maxExternalIdLength);
  if (additionalData.length > maxAdditionalParameters)
    complaints.push({
      param: 'additional_data',
      code: 'invalid_field',
      detail: `At most ${maxAdditionalParameters} additional parameters.`,
    });
  const names = new Set<string>();
  for (const { name, value } of additionalData) {
    if (!nameForm.test(name) || names.has(name) || looksLikeCardNumber(name))
      complaints.push({
        param: 'additional_data',
        code: 'invalid_field',
        detail: `A name of an additional parameter is there once and has 1 to ${maxParameterNameLength} letters of A–Z, a–z, digits, _ . and -.`,
      });
    else complaints.push(...complainAboutText(`additional_data.${name}`, value, maxParameterValueLength));
    names.add(name);
  }
  return complaints;
}

function complainAboutText(param: string, value: string, maxLength: number): FieldComplaint[] {
  if (value.length > maxLength) return [{ param, code: 'too_long', detail: `At most ${maxLength} characters.` }];
  if (looksLikeCardNumber(value))
    return [
      {
        param,
        code: 'card_number_refused',
        detail: 'This looks like a card number. Card data is entered on the payment provider’s page only.',
      },
    ];
  return /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(value)
    ? [{ param, code: 'invalid_field', detail: 'Characters that cannot be printed are not allowed.' }]
    : [];
}
