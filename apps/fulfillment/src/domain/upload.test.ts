import { expect, test } from 'vitest';
import { readCodes } from './upload.ts';

test('codes are trimmed, kept in their order, and each once', () => {
  expect(readCodes([' B-1\r\n', 'A-1', 'B-1', 'b-1', 'line 1\nline 2'])).toEqual({
    codes: ['B-1', 'A-1', 'b-1', 'line 1\nline 2'],
  });
});

test('what is no code is named by its place, and never quoted', () => {
  const answer = readCodes(['A', ' ', 'x'.repeat(501), 'x'.repeat(500), 'se\u0000cret', '🔑']);
  expect(answer).toEqual({
    complaints: [
      { at: 1, code: 'required', detail: 'A code is not empty.' },
      { at: 2, code: 'too_long', detail: 'A code has at most 500 characters.' },
      { at: 4, code: 'invalid_field', detail: 'A code has no control characters.' },
    ],
  });
  expect(JSON.stringify(answer)).not.toContain('cret');
});
