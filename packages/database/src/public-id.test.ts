import { randomUUIDv7 } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicId, readPublicId } from './public-id.ts';

const nil = '00000000-0000-0000-0000-000000000000';
const all = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

describe('a public id', () => {
  it('goes to a UUID and back', () => {
    for (const uuid of [nil, all, ...Array.from({ length: 500 }, () => randomUUIDv7())]) {
      expect(publicId('pay', uuid)).toMatch(/^pay_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
      expect(readPublicId('pay', publicId('pay', uuid))).toBe(uuid);
    }
    expect(publicId('evt', nil)).toBe('evt_00000000000000000000000000');
    expect(publicId('evt', all)).toBe('evt_7zzzzzzzzzzzzzzzzzzzzzzzzz');
  });

  it('sorts as its UUID does', () => {
    const ids = [
      '018f0000-0000-7000-8000-000000000000',
      '018f0000-0001-7000-8000-000000000000',
      '018f0001-0000-7000-8000-000000000000',
    ];
    const texts = ids.map((id) => publicId('lic', id));
    expect(texts.toSorted()).toEqual(texts);
  });

  it('is not what has another prefix, another alphabet, another length or another case', () => {
    const id = publicId('pay', all);
    for (const text of [
      `we${id.slice(3)}`,
      id.slice(4),
      `${id}0`,
      id.slice(0, -1),
      id.toUpperCase(),
      `pay_8${'0'.repeat(25)}`,
      `pay_u${'0'.repeat(25)}`,
      '',
      all,
    ]) {
      expect(readPublicId('pay', text), text).toBeUndefined();
    }
  });
});
