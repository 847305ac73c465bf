/**
 * One fault for each race, to show that the race sees it: `npm run races -- --planted`. A fault in code is a patch like a
 * mutant's; one in the database is a statement.
 */
import { patch, type Mutant, type Patch } from './mutant.ts';

export interface Plant extends Mutant {
  readonly race: string;
  readonly sql: string;
}

const plant = (race: string, sentence: string, patches: readonly Patch[], sql = ''): Plant => ({
  id: `race-${race}`,
  race,
  sentence,
  museum: '',
  caughtBy: race,
  patches,
  sql,
});

export const plants: readonly Plant[] = [
  plant('pool-take', 'A pool that is taken from looks empty.', [
    patch(
      'apps/fulfillment/src/outbound/pool.ts',
      'order by merchant_id, product_id for no key update`',
      'order by merchant_id, product_id for no key update skip locked`',
    ),
  ]),
  plant('two-payments', 'No key says that an order has one payment.', [], 'drop index payment.payment_live'),
  plant('pay-against-expiry', 'A page expires without a word to the provider.', [
    patch(
      'apps/payment/src/inbound/provider-calls.ts',
      '    const closed = await this.withdraw(row);\n    if (closed === undefined && provider.withdraw !== undefined) return;\n',
      '    const closed = row.provider_payment_id;\n',
    ),
  ]),
  plant('withdraw-against-authorisation', 'What the provider says to a withdrawal is not heard.', [
    patch(
      'apps/payment/src/inbound/payment-api.ts',
      "    if (closedPage === undefined) throw new Refused('payment_not_withdrawable');\n",
      '',
    ),
    patch(
      'apps/payment/src/inbound/provider-calls.ts',
      '    if (await provider.withdraw(id)) return id;\n    await this.ask(payment);\n    return undefined;',
      '    await provider.withdraw(id);\n    return id;',
    ),
  ]),
  plant('submit-with-key', 'A key that is worked on is worked on once more, as something new.', [
    patch('apps/gateway/src/outbound/answers.ts', "      if (found.is_locked) return { is: 'in flight' };\n", ''),
    patch(
      'apps/gateway/src/outbound/answers.ts',
      'requestId: found.request_id, fence }',
      'requestId: randomUUIDv7(), fence }',
    ),
  ]),
  plant('submit-form', 'A cart is consumed without a look at whether it is.', [
    patch(
      'apps/order/src/outbound/order-keeper.ts',
      'where cart.cart_id = t.cart_id and cart.order_id is null and cart.version = t.version`',
      'where cart.cart_id = t.cart_id`',
    ),
  ]),
  plant('cancel-against-renewal', 'A subscription is decided on without its lock.', [
    patch(
      'apps/subscription/src/outbound/subscription-keeper.ts',
      'order by subscription_id for no key update`',
      'order by subscription_id`',
    ),
  ]),
  plant('licence-resend', 'An order is decided on without its lock.', [
    patch('apps/order/src/outbound/order-keeper.ts', 'order by order_id for no key update`', 'order by order_id`'),
  ]),
  plant('endpoint-delete', 'Events are stored for an endpoint without holding it.', [
    patch('apps/webhook-dispatcher/src/outbound/rows/fan-out.ts', '      for key share of e\n', ''),
  ]),
  plant('two-relays', 'Every relay leads.', [
    patch(
      'packages/messaging/src/leadership.ts',
      'if (result.rows[0]?.leads !== true) {',
      'if (result.rows.length === 0) {',
    ),
  ]),
  plant('two-shard-owners', 'Whoever wants a shard takes it, and no epoch says so.', [
    patch(
      'apps/webhook-dispatcher/src/outbound/rows/leases.ts',
      'where (owner is null or expires_at <= now()) and shard <> all',
      'where owner is distinct from ${me}::uuid and shard <> all',
    ),
    patch('apps/webhook-dispatcher/src/outbound/rows/leases.ts', 'epoch = epoch + ours.is_new::int', 'epoch = epoch'),
  ]),
];
