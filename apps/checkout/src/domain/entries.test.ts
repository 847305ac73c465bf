import { expect, test } from 'vitest';
import { changedQuantities, fieldOf, isCompany, noEntries, readAction, readEntries, readQuantity } from './entries.ts';

test('only what the reader changed is a change', () => {
  expect(changedQuantities({ quantity_1: '2', shown_1: '2', quantity_2: ' 3 ', shown_2: '1' })).toEqual([
    { productId: '2', quantity: 3 },
  ]);
  expect(changedQuantities({ quantity_7: 'two', shown_7: '1' })).toEqual([{ productId: '7', quantity: Number.NaN }]);
  expect(changedQuantities({ quantity_x: '5', quantity___proto__: '1' })).toEqual([]);
});

test('a quantity is a whole number and nothing else', () => {
  expect(['1', '007', '999999999'].map(readQuantity)).toEqual([1, 7, 999_999_999]);
  for (const text of ['', '-1', '1.5', '1e3', '0x10', '10000000000', '１', 'NaN']) expect(readQuantity(text)).toBeNaN();
});

test('a consent is given by its presence alone, and no other field becomes one', () => {
  expect(readEntries({}).terms_accepted).toBe(false);
  expect(readEntries({ terms_accepted: '' }).terms_accepted).toBe(false);
  expect(readEntries({ terms_accepted: 'yes' })).toMatchObject({ terms_accepted: true, privacy_accepted: false });
});

test('refusals find their field by its API name', () => {
  expect(fieldOf('customer.email')).toBe('email');
  expect(fieldOf('terms_accepted')).toBe('terms_accepted');
  expect(fieldOf('customer.phone')).toBeUndefined();
});

test('a button says what it wants; an unknown or missing one orders nothing but the order', () => {
  expect(readAction('remove:42')).toEqual({ type: 'remove', productId: '42' });
  expect(readAction('locale:de')).toEqual({ type: 'locale', tag: 'de' });
  expect(readAction(undefined)).toEqual({ type: 'place' });
});

test('who names a company buys as one', () => {
  expect(isCompany(noEntries)).toBe(false);
  expect(isCompany({ ...noEntries, vat_number: 'DE123456789' })).toBe(true);
});
