/** What a customer must tell, field by field. Names in any script are names. */
import { isCountry } from './countries.ts';

export interface Customer {
  readonly country: string;
  readonly type: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly phone: string;
  readonly vatNumber: string;
  readonly companyName: string;
  readonly companyBillingAddress: string;
  readonly companyDeliveryAddress: string;
}

export interface FieldComplaint {
  readonly param: string;
  readonly code:
    | 'required'
    | 'too_long'
    | 'invalid_field'
    | 'card_number_refused'
    | 'terms_not_accepted'
    | 'privacy_not_accepted'
    | 'payment_method_not_supported';
  readonly detail: string;
}

/** Of the two sentences next to the boxes. Changes whenever they do; kept with each order as evidence. */
export const consentWording = '2026-11-21';

/** The fields of free text, with their names in the API and how long they may be. One that is missing does not compile. */
const textFields: Readonly<
  Record<Exclude<keyof Customer, 'country' | 'type'>, { readonly name: string; readonly maxLength: number }>
> = {
  email: { name: 'email', maxLength: 254 },
  firstName: { name: 'first_name', maxLength: 100 },
  lastName: { name: 'last_name', maxLength: 100 },
  phone: { name: 'phone', maxLength: 40 },
  vatNumber: { name: 'vat_number', maxLength: 40 },
  companyName: { name: 'company_name', maxLength: 200 },
  companyBillingAddress: { name: 'company_billing_address', maxLength: 500 },
  companyDeliveryAddress: { name: 'company_delivery_address', maxLength: 500 },
};

/** Of a request that names none: every field is missing. */
export const noCustomer: Customer = {
  country: '',
  type: '',
  email: '',
  firstName: '',
  lastName: '',
  phone: '',
  vatNumber: '',
  companyName: '',
  companyBillingAddress: '',
  companyDeliveryAddress: '',
};

const details = {
  required: 'This field is required.',
  too_long: 'This is too long.',
  card_number_refused: 'This looks like a card number. Card data is entered on the payment provider’s page only.',
} as const;

/** The customer without the spaces around what was typed. */
export function trimmed(customer: Customer): Customer {
  const entries = Object.entries(customer).map(([key, value]: [string, string]) => [key, value.trim()]);
  return { ...customer, ...Object.fromEntries(entries) };
}

/** Every field that is missing or wrong, all at once (R7). */
export function complainAboutCustomer(customer: Customer): readonly FieldComplaint[] {
  const complaints: FieldComplaint[] = [];
  const complain = (field: string, code: FieldComplaint['code'], detail: string) =>
    complaints.push({ param: `customer.${field}`, code, detail });
  const isCompany = customer.type === 'legal';
  for (const [key, { name: field, maxLength }] of Object.entries(textFields)) {
    const value = customer[key as keyof typeof textFields];
    const isRequired =
      field === 'email' || field === 'first_name' || field === 'last_name' || (field === 'company_name' && isCompany);
    if (isRequired && value === '') complain(field, 'required', details.required);
    else if (value.length > maxLength) complain(field, 'too_long', details.too_long);
    // A telephone number with its + is none, though one in ten of that length has a check digit that fits.
    else if (looksLikeCardNumber(field === 'phone' && value.startsWith('+') ? '' : value))
      complain(field, 'card_number_refused', details.card_number_refused);
    else if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(field.endsWith('address') ? value.replaceAll(/[\r\n]/g, '') : value))
      complain(field, 'invalid_field', 'Characters that cannot be printed are not allowed.');
  }
  const isComplained = (field: string) => complaints.some((complaint) => complaint.param === `customer.${field}`);
  if (!isComplained('email') && !isAddress(customer.email))
    complain('email', 'invalid_field', 'This is not an e-mail address.');
  if (customer.country === '') complain('country', 'required', details.required);
  else if (!isCountry(customer.country)) complain('country', 'invalid_field', 'Choose a country from the list.');
  if (customer.type !== 'physical' && customer.type !== 'legal')
    complain('type', 'invalid_field', 'physical or legal.');
  return complaints;
}

/** Good enough to send to; whether somebody reads it only a mail can tell. */
function isAddress(email: string): boolean {
  return /^[^\s@"<>(),;:\\[\]]{1,64}@[^\s@"<>(),;:\\[\]]+\.[^\s@"<>(),;:\\[\].]{2,}$/.test(email);
}

/** Thirteen to nineteen digits whose check digit fits, with any spaces or dashes between them, in any script's form (D18). */
export function looksLikeCardNumber(text: string): boolean {
  for (const [run] of text.normalize('NFKC').matchAll(/[0-9](?:[ -]?[0-9]){12,}/g)) {
    const digits = run.replaceAll(/[ -]/g, '');
    if (digits.length <= 19 && hasCheckDigit(digits)) return true;
  }
  return false;
}

/** ISO/IEC 7812, Luhn. */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
