/**
 * Secrets at rest. AES-256-GCM: what was changed, or is opened for another purpose than it was sealed for, does not open.
 * The id of the key is inside, so that a new key can seal while the old ones still open (rotation).
 *
 *   sealed = 1 byte form · 1 byte length of key id · key id · 12 bytes nonce · ciphertext · 16 bytes tag
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

export interface Vault {
  /** The context says whose secret it is, such as `${merchantId}|${rowId}`: it is not stored, and must be the same to open. */
  seal(plain: Uint8Array | string, context: string): Buffer;
  /** Throws when it was tampered with, sealed for another context, or with a key that is not here. */
  open(sealed: Uint8Array, context: string): Buffer;
  /**
   * Blind index: equal texts in one context have equal fingerprints, from which nobody without the keys learns the text.
   * 32 bytes. Made with the last key of the list, so that it stays the same while new keys are put in front.
   */
  fingerprint(text: string, context: string): Buffer;
  /** Whether the sealing key of today sealed it. If not, it waits to be sealed anew before its key is thrown away. */
  isCurrent(sealed: Uint8Array): boolean;
}

const form = 1;
const [nonceBytes, tagBytes, keyBytes] = [12, 16, 32];

/**
 * Keys as "k2:base64,k1:base64", 32 bytes each: the first seals, all open. To rotate, put a new one in front, seal what is
 * not current anew, then take the old one out, except for the last, which makes the fingerprints. Throws without quoting a key.
 */
export function makeVault(keys: string): Vault {
  const rings = new Map(keys.split(',').map((entry, at) => readKey(entry.trim(), at)));
  const sealing = [...rings.keys()][0];
  const oldest = [...rings.values()].at(-1);
  if (sealing === undefined || oldest === undefined) throw new Error('VAULT_KEYS holds no key');
  if (rings.size !== keys.split(',').length) throw new Error('VAULT_KEYS names a key twice');
  // Its own key for its own purpose: a fingerprint says nothing about what seals.
  const fingerprintKey = Buffer.from(hkdfSync('sha256', oldest, '', 'tillstream fingerprint', keyBytes));

  return {
    seal(plain, context) {
      const nonce = randomBytes(nonceBytes);
      const head = headOf(sealing);
      const cipher = createCipheriv('aes-256-gcm', keyOf(rings, sealing), nonce).setAAD(aadOf(head, context));
      return Buffer.concat([head, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, context) {
      const { id, head, rest } = readHead(sealed);
      const key = keyOf(rings, id);
      if (rest.length < nonceBytes + tagBytes) throw new Error('the sealed text is cut off');
      const decipher = createDecipheriv('aes-256-gcm', key, rest.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(aadOf(head, context)).setAuthTag(rest.subarray(-tagBytes));
      return Buffer.concat([decipher.update(rest.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    },
    fingerprint(text, context) {
      return createHmac('sha256', fingerprintKey).update(`${context.length}|${context}|${text}`).digest();
    },
    isCurrent(sealed) {
      return readHead(sealed).id === sealing;
    },
  };
}

function readKey(entry: string, at: number): readonly [string, Buffer] {
  const [, id, text] = /^([a-zA-Z0-9_-]{1,32}):([A-Za-z0-9+/_-]+={0,2})$/.exec(entry) ?? [];
  const key = Buffer.from(text ?? '', 'base64');
  if (id === undefined || key.length !== keyBytes) {
    throw new Error(
      `key ${at + 1} of VAULT_KEYS is not an id, a colon and 32 bytes in base64 (make one: openssl rand -base64 32)`,
    );
  }
  return [id, key];
}

function keyOf(rings: ReadonlyMap<string, Buffer>, id: string): Buffer {
  const key = rings.get(id);
  if (key === undefined) throw new Error(`sealed with key ${id}, which is not among VAULT_KEYS`);
  return key;
}

function headOf(id: string): Buffer {
  return Buffer.concat([Buffer.from([form, id.length]), Buffer.from(id)]);
}

function readHead(sealed: Uint8Array): { id: string; head: Buffer; rest: Buffer } {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes[0] !== form) throw new Error('not a sealed text');
  const end = 2 + (bytes[1] ?? 0);
  return { id: bytes.toString('latin1', 2, end), head: bytes.subarray(0, end), rest: bytes.subarray(end) };
}

/** The head is under the seal as well: a key id cannot be exchanged. */
function aadOf(head: Buffer, context: string): Buffer {
  return Buffer.concat([head, Buffer.from(context)]);
}
