import { describe, expect, it } from 'vitest';
import { makeVault } from './vault.ts';

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64');
const [old, fresh] = [`k1:${key(1)}`, `k2:${key(2)}`];
const secret = 'AAAA-BBBB-ünï-🔑';
const context = 'merchant|row';

describe('a vault', () => {
  const vault = makeVault(old);

  it('opens what it sealed, and never seals twice the same', () => {
    const sealed = vault.seal(secret, context);
    expect(vault.open(sealed, context).toString()).toBe(secret);
    expect(sealed.includes(secret)).toBe(false);
    expect(vault.seal(secret, context).equals(sealed)).toBe(false);
    expect(vault.open(vault.seal('', context), context)).toHaveLength(0);
    expect(vault.open(vault.seal(Uint8Array.of(0, 255), context), context)).toEqual(Buffer.from([0, 255]));
  });

  it('does not open it for another row or merchant', () => {
    const sealed = vault.seal(secret, context);
    for (const other of ['', 'merchant|row2', 'other|row', ' merchant|row'])
      expect(() => vault.open(sealed, other)).toThrow();
  });

  it('does not open it when any byte was changed or cut off', () => {
    const sealed = vault.seal(secret, context);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => vault.open(changed, context), `byte ${at}`).toThrow();
    }
    for (const length of [0, 1, 4, 20, sealed.length - 1])
      expect(() => vault.open(sealed.subarray(0, length), context)).toThrow();
  });
});

describe('rotation', () => {
  it('opens with the old key, seals with the new one, and says what is still to be sealed anew', () => {
    const before = makeVault(old);
    const during = makeVault(`${fresh}, ${old}`);
    const sealed = before.seal(secret, context);
    expect(before.isCurrent(sealed)).toBe(true);
    expect(during.isCurrent(sealed)).toBe(false);
    const anew = during.seal(during.open(sealed, context), context);
    expect(during.isCurrent(anew)).toBe(true);

    const after = makeVault(fresh);
    expect(after.open(anew, context).toString()).toBe(secret);
    expect(() => after.open(sealed, context)).toThrow('sealed with key k1, which is not among VAULT_KEYS');
  });

  it('keeps fingerprints while new keys come in front', () => {
    expect(makeVault(`${fresh},${old}`).fingerprint(secret, context)).toEqual(
      makeVault(old).fingerprint(secret, context),
    );
  });
});

describe('a fingerprint', () => {
  const vault = makeVault(old);

  it('is equal for equal texts of one context only', () => {
    const fingerprint = vault.fingerprint(secret, context);
    expect(fingerprint).toHaveLength(32);
    expect(vault.fingerprint(secret, context)).toEqual(fingerprint);
    expect(vault.fingerprint(secret, 'merchant2|row')).not.toEqual(fingerprint);
    expect(vault.fingerprint(`${secret} `, context)).not.toEqual(fingerprint);
    expect(vault.fingerprint('b', 'a|')).not.toEqual(vault.fingerprint('|b', 'a'));
    expect(makeVault(fresh).fingerprint(secret, context)).not.toEqual(fingerprint);
  });
});

describe('keys', () => {
  it('are refused when they are none, without being quoted', () => {
    const short = `k1:${Buffer.alloc(31, 7).toString('base64')}`;
    for (const keys of ['', 'k1', `:${key(1)}`, short, `${old},`, `k 1:${key(1)}`]) {
      expect(() => makeVault(keys), keys).toThrow('of VAULT_KEYS is not an id');
    }
    expect(() => makeVault(`${old},${old}`)).toThrow('names a key twice');
    expect(() => makeVault(short)).not.toThrow(new RegExp(short.slice(3)));
  });
});
