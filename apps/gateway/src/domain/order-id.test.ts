import { expect, test } from 'vitest';
import { readOrderId } from './order-id.ts';

test.each([
  ['1000001', 1_000_001n],
  ['A0001000001', 1_000_001n],
  ['A9999999999', 9_999_999_999n],
] as const)('%s', (text, id) => expect(readOrderId(text)).toBe(id));

test.each(['', '0', 'A0000000000', '-1', '1.5', '01', 'a0001000001', 'A1', '1e3', '9'.repeat(40), ' 1', '1\n'])(
  '%j is no order',
  (text) => expect(readOrderId(text)).toBeUndefined(),
);
