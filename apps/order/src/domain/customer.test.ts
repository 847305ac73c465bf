import { describe, expect, test } from 'vitest';
import { complainAboutCustomer, looksLikeCardNumber, trimmed, type Customer } from './customer.ts';

const jane: Customer = {
  country: 'FR',
  type: 'physical',
  email: 'jane@customer.example',
  firstName: 'Jane',
  lastName: 'Doe',
  phone: '',
  vatNumber: '',
  companyName: '',
  companyBillingAddress: '',
  companyDeliveryAddress: '',
};
const complaintsOf = (more: Partial<Customer>) =>
  complainAboutCustomer({ ...jane, ...more }).map(({ param, code }) => `${param} ${code}`);

test('who is complete is complained about in nothing, in any script', () => {
  const people: readonly Partial<Customer>[] = [
    {},
    { firstName: 'محمد 🌸', lastName: 'О’Коннор <b>&' },
    { firstName: '李', lastName: 'x'.repeat(100) },
    { phone: '+49 30 5678 1234 567', vatNumber: 'DE123456789', companyDeliveryAddress: 'One street\r\nOne town' },
    { type: 'legal', companyName: 'Doe & Söhne GmbH' },
  ];
  for (const more of people) expect(complaintsOf(more), JSON.stringify(more)).toEqual([]);
});

test('everything is said at once', () => {
  expect(complaintsOf({ country: '', email: '', firstName: '', lastName: '', type: 'legal' })).toEqual([
    'customer.email required',
    'customer.first_name required',
    'customer.last_name required',
    'customer.company_name required',
    'customer.country required',
  ]);
});

describe('what is refused', () => {
  test.each([
    [{ email: 'no at' }, 'customer.email invalid_field'],
    [{ email: 'a@b' }, 'customer.email invalid_field'],
    [{ email: 'a@b.example, c@d.example' }, 'customer.email invalid_field'],
    [{ email: 'a@b.example\r\nBcc: c@d.example' }, 'customer.email invalid_field'],
    [{ email: `${'a'.repeat(64)}@${'b'.repeat(190)}.example` }, 'customer.email too_long'],
    [{ firstName: 'x'.repeat(10_000) }, 'customer.first_name too_long'],
    [{ lastName: 'Tab\tbed' }, 'customer.last_name invalid_field'],
    [{ lastName: '4242 4242 4242 4242' }, 'customer.last_name card_number_refused'],
    [{ phone: '4000-0000-0000-0002' }, 'customer.phone card_number_refused'],
    [
      { companyBillingAddress: 'My card: ４２４２４２４２４２４２４２４２' },
      'customer.company_billing_address card_number_refused',
    ],
    [{ country: 'fr' }, 'customer.country invalid_field'],
    [{ country: 'UK' }, 'customer.country invalid_field'],
    [{ country: 'EU' }, 'customer.country invalid_field'],
    [{ type: '' }, 'customer.type invalid_field'],
  ])('%j', (more, complaint) => expect(complaintsOf(more)).toEqual([complaint]));
});

test('spaces around what was typed are nobody’s name', () => {
  expect(trimmed({ ...jane, firstName: '  Jane\n' })).toEqual(jane);
  expect(complainAboutCustomer(trimmed({ ...jane, firstName: ' \t ' }))).toMatchObject([
    { param: 'customer.first_name', code: 'required' },
  ]);
});

test('numbers that are no cards are let through', () => {
  for (const text of ['4242424242424241', '424242424242', '1'.repeat(30), '2026-11-21 08:00', ''])
    expect(looksLikeCardNumber(text), text).toBe(false);
});
