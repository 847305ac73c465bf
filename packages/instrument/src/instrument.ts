/**
 * What a customer pays with, as far as anyone but its provider may know it. Each kind has a maker that masks what it is
 * given, and nothing else makes one: a full number has no way into rows, messages or pages. A maker leaves alone what is
 * masked already, so that what was stored is read through it too.
 */
export interface Card {
  /** Visa; empty when unknown. */
  readonly brand: string;
  readonly last4: string;
  /** MM/YYYY; empty when unknown. */
  readonly expiration: string;
}

export interface BankAccount {
  /** Empty when unknown. */
  readonly bankName: string;
  /** ISO 3166 alpha-2, as an IBAN begins; empty when unknown. */
  readonly country: string;
  readonly last4: string;
}

export interface Wallet {
  /** PayPal */
  readonly name: string;
  /** Masked; empty when unknown. */
  readonly account: string;
}

export interface CryptoAddress {
  /** BTC */
  readonly asset: string;
  /** Masked. */
  readonly address: string;
}

export type Instrument =
  | { readonly kind: 'card'; readonly details: Card }
  | { readonly kind: 'bank_account'; readonly details: BankAccount }
  | { readonly kind: 'wallet'; readonly details: Wallet }
  | { readonly kind: 'crypto_address'; readonly details: CryptoAddress };

// Longer names are no names: providers' answers are not trusted.
const maxName = 40;
// More of an address than its two ends would find it in the public ledger.
const addressEnd = 4;
const minAddress = 16;

/** Undefined when it has no last four digits: there is nothing to recognise it by. */
export function card({ brand, last4, expiration }: Card): Instrument | undefined {
  const digits = lastFour(last4);
  if (digits === '') return undefined;
  const isMonth = /^(0[1-9]|1[0-2])\/[0-9]{4}$/.test(expiration);
  const details = { brand: nameOf(brand), last4: digits, expiration: isMonth ? expiration : '' };
  return { kind: 'card', details };
}

/** `number`: an IBAN, an account number, or its last four. Undefined when it has none. */
export function bankAccount(account: {
  readonly bankName: string;
  readonly country: string;
  readonly number: string;
}): Instrument | undefined {
  const number = account.number.replace(/[\s-]/g, '').toUpperCase();
  const last4 = lastFour(number);
  if (last4 === '') return undefined;
  const [, country = account.country] = /^([A-Z]{2})[0-9]{2}[A-Z0-9]{11,30}$/.exec(number) ?? [];
  const details = { bankName: nameOf(account.bankName), country: /^[A-Z]{2}$/.test(country) ? country : '', last4 };
  return { kind: 'bank_account', details };
}

/** `account`: an e-mail address, a phone number or any other name of the customer there. */
export function wallet({ name, account }: Wallet): Instrument | undefined {
  const known = nameOf(name);
  return known === '' ? undefined : { kind: 'wallet', details: { name: known, account: maskAccount(account.trim()) } };
}

export function cryptoAddress({ asset, address }: CryptoAddress): Instrument | undefined {
  const known = nameOf(asset);
  const masked = maskAddress(address.trim());
  return known === '' || masked === ''
    ? undefined
    : { kind: 'crypto_address', details: { asset: known, address: masked } };
}

/** What a person reads, in no language: "Visa •••• 4242". It is made here and stored nowhere. */
export function displayOf(instrument: Instrument): string {
  switch (instrument.kind) {
    case 'card':
      return `${instrument.details.brand} •••• ${instrument.details.last4}`.trim();
    case 'bank_account':
      return `${instrument.details.bankName || instrument.details.country} •••• ${instrument.details.last4}`.trim();
    case 'wallet':
      return `${instrument.details.name} ${instrument.details.account}`.trim();
    case 'crypto_address':
      return `${instrument.details.asset} ${instrument.details.address}`;
  }
}

/** From JSON. Undefined when there is none, or one of a kind that a newer version stored. */
export function readInstrument(stored: unknown): Instrument | undefined {
  const { kind, details } = fieldsOf(stored);
  const fields = fieldsOf(details);
  const text = (key: string) => {
    const value = fields[key];
    return typeof value === 'string' ? value : '';
  };
  switch (kind) {
    case 'card':
      return card({ brand: text('brand'), last4: text('last4'), expiration: text('expiration') });
    case 'bank_account':
      return bankAccount({ bankName: text('bankName'), country: text('country'), number: text('last4') });
    case 'wallet':
      return wallet({ name: text('name'), account: text('account') });
    case 'crypto_address':
      return cryptoAddress({ asset: text('asset'), address: text('address') });
    default:
      return undefined;
  }
}

function lastFour(number: string): string {
  const digits = number.trim().slice(-4);
  return /^[0-9A-Z]{4}$/.test(digits) ? digits : '';
}

function nameOf(name: string): string {
  // Postgres refuses JSON with half a character, or with none.
  const known = name
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, maxName)
    .toWellFormed()
    .trim();
  // A number where a name belongs is not shown either.
  return /[0-9]{5}/.test(known) ? '' : known;
}

function maskAccount(account: string): string {
  if (/^.?•••./u.test(account)) return nameOf(account);
  const [, first = '', domain = ''] = /^([^@])[^@]*@([^@]+)$/u.exec(account) ?? [];
  const end = account.length <= 8 ? account.slice(-1) : account.slice(-4);
  return nameOf(domain !== '' ? `${first}•••@${domain}` : account === '' ? '' : `•••${end}`);
}

function maskAddress(address: string): string {
  if (/^[0-9A-Za-z]{4}…[0-9A-Za-z]{4}$/.test(address)) return address;
  const isAddress = address.length >= minAddress && /^[0-9A-Za-z]+$/.test(address);
  return isAddress ? `${address.slice(0, addressEnd)}…${address.slice(-addressEnd)}` : '';
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
