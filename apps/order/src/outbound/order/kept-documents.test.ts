import type { DocumentKey, OrderDocument } from '@tillstream/proto/order/v1/order_api';
import { describe, expect, test } from 'vitest';
import { KeptDocuments } from './kept-documents.ts';

const merchantId = '01a1fe29-13aa-7478-9323-857ea66c72a2';
const key = (version: bigint, orderId = 1n): DocumentKey => ({ merchantId, orderId, version });

/** A store in which orders have reached a version. */
function store(reached: bigint) {
  const asked: string[] = [];
  let [version, isAway] = [reached, false];
  const kept = new KeptDocuments(async (keys) => {
    asked.push(keys.map((each) => `${each.orderId}@${each.version}`).join(' '));
    await Promise.resolve();
    if (isAway) throw new Error('away');
    return keys
      .filter((each) => each.version <= version)
      .map((each): OrderDocument => ({
        key: each,
        order: undefined,
        shopName: 'Shop',
        supportEmail: '',
        occurredAt: undefined,
      }));
  });
  return {
    asked,
    get: async (...keys: DocumentKey[]) =>
      (await kept.get(keys)).map((each) => `${each.key?.orderId}@${each.key?.version}`),
    move: (to: bigint) => (version = to),
    fail: (now: boolean) => (isAway = now),
  };
}

describe('the document of an order', () => {
  test('at a version is read once, also for those who ask at the same moment', async () => {
    const { get, asked } = store(2n);
    expect(await Promise.all([get(key(1n)), get(key(1n), key(2n)), get(key(2n), key(2n))])).toEqual([
      ['1@1'],
      ['1@1', '1@2'],
      ['1@2', '1@2'],
    ]);
    expect(await get(key(1n), key(1n, 7n))).toEqual(['1@1', '7@1']);
    expect(asked).toEqual(['1@1', '1@2', '7@1']);
  });

  test('that is still to come is asked for again, and so is one that could not be read', async () => {
    const { get, move, fail, asked } = store(1n);
    expect(await get(key(2n))).toEqual([]);
    move(2n);
    fail(true);
    await expect(get(key(2n))).rejects.toThrow('away');
    fail(false);
    expect(await get(key(2n))).toEqual(['1@2']);
    expect(asked).toHaveLength(3);
  });

  test('as it is now is never kept', async () => {
    const { get, asked } = store(1n);
    await get(key(0n));
    await get(key(0n));
    expect(asked).toHaveLength(2);
  });

  test('does not fill the memory', async () => {
    const { get, asked } = store(1n);
    for (let order = 1n; order <= 1_001n; order += 1n) await get(key(1n, order));
    await get(key(1n, 1_001n));
    expect(asked).toHaveLength(1_001);
    await get(key(1n, 1n));
    expect(asked).toHaveLength(1_002);
  });
});
