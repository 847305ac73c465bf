/** Public ids: a prefix that says what it is, and the UUID in Crockford's base32 (26 characters, sortable by time). */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** `publicId('pay', uuid)` = `pay_01h…`. */
export function publicId(prefix: string, uuid: string): string {
  let rest = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let at = 0; at < 26; at += 1) {
    text = `${alphabet[Number(rest & 31n)] ?? ''}${text}`;
    rest >>= 5n;
  }
  return `${prefix}_${text}`;
}

/** The UUID in a public id, or undefined when it is not one with this prefix. */
export function readPublicId(prefix: string, id: string): string | undefined {
  const match = /^([a-z]+)_([0-9a-hjkmnp-tv-z]{26})$/.exec(id);
  if (match === null || match[1] !== prefix) return undefined;
  let value = 0n;
  for (const letter of match[2] ?? '') value = (value << 5n) | BigInt(alphabet.indexOf(letter));
  if (value >> 128n !== 0n) return undefined;
  const hex = value.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
