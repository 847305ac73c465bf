/** What a customer enters on the checkout page. The names are those of the form and, after `customer.`, of the API. */

export const textFields = [
  'email',
  'first_name',
  'last_name',
  'country',
  'company_name',
  'company_billing_address',
  'vat_number',
] as const;

export type TextField = (typeof textFields)[number];

export const fields = [...textFields, 'payment_method', 'auto_renew', 'terms_accepted', 'privacy_accepted'] as const;

export type Field = (typeof fields)[number];

export interface Entries extends Readonly<Record<TextField, string>> {
  readonly payment_method: string;
  /** The consent to renewals, where a box asks for it. */
  readonly auto_renew: boolean;
  readonly terms_accepted: boolean;
  readonly privacy_accepted: boolean;
}

export const noEntries: Entries = {
  email: '',
  first_name: '',
  last_name: '',
  country: '',
  company_name: '',
  company_billing_address: '',
  vat_number: '',
  payment_method: '',
  auto_renew: false,
  terms_accepted: false,
  privacy_accepted: false,
};

/** What one field got wrong. `code` is a refusal code. */
export interface Fault {
  readonly field: Field;
  readonly code: string;
}

/** The field that a refusal's `param` means; undefined when the page has no such field. */
export function fieldOf(param: string): Field | undefined {
  const name = param.replace(/^customer\./, '');
  return fields.find((each) => each === name);
}

/** Reads a posted form. A consent is given by its presence alone. */
export function readEntries(form: Readonly<Record<string, string>>): Entries {
  const text = (name: Field): string => (form[name] ?? '').trim();
  return {
    email: text('email'),
    first_name: text('first_name'),
    last_name: text('last_name'),
    country: text('country').toUpperCase(),
    company_name: text('company_name'),
    company_billing_address: text('company_billing_address'),
    vat_number: text('vat_number'),
    payment_method: text('payment_method'),
    auto_renew: text('auto_renew') !== '',
    terms_accepted: text('terms_accepted') !== '',
    privacy_accepted: text('privacy_accepted') !== '',
  };
}

/** Whoever tells anything of a company buys as one; its name is asked for then. */
export function isCompany(entries: Entries): boolean {
  return entries.company_name !== '' || entries.vat_number !== '' || entries.company_billing_address !== '';
}

/** What the order service is told of the customer. The form asks for no phone and no delivery address. */
export function customerOf(entries: Entries) {
  return {
    country: entries.country,
    type: isCompany(entries) ? 'legal' : 'physical',
    email: entries.email,
    firstName: entries.first_name,
    lastName: entries.last_name,
    phone: '',
    vatNumber: entries.vat_number,
    companyName: entries.company_name,
    companyBillingAddress: entries.company_billing_address,
    companyDeliveryAddress: '',
  };
}

/** What one button of the form asks for. */
export type Action =
  | { readonly type: 'place' }
  | { readonly type: 'update' }
  | { readonly type: 'remove'; readonly productId: string }
  | { readonly type: 'currency' }
  | { readonly type: 'locale'; readonly tag: string };

/** A form that is submitted without a button, by the Enter key of an old browser, orders. */
export function readAction(value: string | undefined): Action {
  const [type, argument = ''] = (value ?? 'place').split(':', 2);
  switch (type) {
    case 'update':
    case 'currency':
      return { type };
    case 'remove':
      return { type, productId: argument };
    case 'locale':
      return { type, tag: argument };
    default:
      return { type: 'place' };
  }
}

export interface QuantityChange {
  readonly productId: string;
  /** NaN when what was entered is no whole number. */
  readonly quantity: number;
}

// More digits are no quantity that anybody sells, and would leave int32.
const wholeNumber = /^\d{1,9}$/;

/** The whole number that a text says; NaN when it says none. */
export function readQuantity(text: string): number {
  return wholeNumber.test(text.trim()) ? Number(text.trim()) : Number.NaN;
}

/**
 * The quantities that differ from what the page showed. Each line is posted twice: as it was shown and as it was entered,
 * so that a page that is out of date changes nothing that its reader did not change.
 */
export function changedQuantities(form: Readonly<Record<string, string>>): readonly QuantityChange[] {
  return Object.entries(form).flatMap(([name, value]) => {
    const productId = /^quantity_(\d{1,19})$/.exec(name)?.[1];
    if (productId === undefined || value.trim() === form[`shown_${productId}`]) return [];
    return [{ productId, quantity: readQuantity(value) }];
  });
}
