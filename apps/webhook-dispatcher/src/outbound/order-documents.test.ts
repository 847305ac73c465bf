import { bankAccount } from '@tillstream/instrument/instrument';
import { instrumentFields } from '@tillstream/instrument/wire';
import { Customer, Order, PaymentSummary } from '@tillstream/proto/order/v1/order_api';
import { messageOf } from '@tillstream/testkit/wire';
import { expect, test } from 'vitest';
import { fetchOrders } from './order-documents.ts';

const key = { merchantId: 'm', orderId: 1n, version: 1n };

async function paymentOf(order: Partial<Order>) {
  const known = { createdAt: new Date(), customer: messageOf(Customer), ...order };
  const found = await fetchOrders(
    {
      getOrderDocuments: async () => ({
        documents: [{ key, order: messageOf(Order, known), shopName: '', supportEmail: '', occurredAt: undefined }],
      }),
    },
    [key],
  );
  return found(key)?.document.payment;
}
const chosen = { paymentMethod: 'BankTransfer', paymentSystemName: 'Bank Transfer' };

// A transfer was "BankTransfer" while it was chosen and "Bank Transfer" once it had paid.
test('a method has one name, before it is paid by and after', async () => {
  const transfer = { method: 'BankTransfer', systemName: 'Bank Transfer' };
  expect(await paymentOf(chosen)).toMatchObject(transfer);
  const account = bankAccount({ bankName: '', country: '', number: 'DE89370400440532013000' });
  const payment = messageOf(PaymentSummary, { ...transfer, ...instrumentFields(account) });
  expect(await paymentOf({ ...chosen, payment })).toMatchObject({ ...transfer, instrument: account });
});

test('what it was paid by counts, also where it was not chosen', async () => {
  const payment = messageOf(PaymentSummary, { method: 'CreditCard', systemName: 'Bank Card', cardLast4: '4242' });
  const shown = await paymentOf({ ...chosen, payment });
  expect(shown).toMatchObject({ method: 'CreditCard', systemName: 'Bank Card', instrument: { kind: 'card' } });
});

test.each([
  ['a renewal whose instrument is gone', { method: '', systemName: '' }, ['BankTransfer', 'Bank Transfer']],
  ['a method that the catalogue has dropped', { method: 'Cheque', systemName: '' }, ['Cheque', 'Cheque']],
])('%s', async (_, said, names) => {
  const shown = await paymentOf({ ...chosen, payment: messageOf(PaymentSummary, said) });
  expect([shown?.method, shown?.systemName]).toEqual(names);
});
