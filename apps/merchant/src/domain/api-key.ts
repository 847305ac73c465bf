/**
 * API keys look like `till_test_` + 8 characters that find the row + 43 secret ones (251 bits) + 6 of a checksum, so that
 * a typo is told from a wrong key without asking the database, and scanners can recognise a leaked one.
 */
export interface KeyParts {
  readonly livemode: boolean;
  readonly handle: string;
  readonly checksum: string;
  /** What the checksum is of. */
  readonly checked: string;
}

const form = /^(till_(test|live)_([1-9A-HJ-NP-Za-km-z]{8})[1-9A-HJ-NP-Za-km-z]{43})([1-9A-HJ-NP-Za-km-z]{6})$/;

export const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
export const handleLength = 8;
export const secretLength = 43;
export const checksumLength = 6;

export function readKey(text: string): KeyParts | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const [, checked = '', mode, handle = '', checksum = ''] = match;
  return { livemode: mode === 'live', handle, checksum, checked };
}

/** Base58 without padding: the same number of characters for the same number of bytes. */
export function spell(bytes: Uint8Array, length: number): string {
  let text = '';
  for (const byte of bytes) {
    // 232 = 4 × 58: bytes above it would favour the first letters.
    if (byte < 232 && text.length < length) text += alphabet[byte % 58] ?? '';
  }
  if (text.length < length) throw new Error('too few random bytes');
  return text;
}
