/** For each invariant what breaks it, in an installation that is well: one thing, by hand. */
const merchant = "'00000000-0000-7000-8000-000000000001'";

export const plants: Readonly<Record<string, string>> = {
  'fulfilment-code-once': 'delete from fulfillment.licence where pool_code_id = 4',
  'fulfilment-delivered-is-heard': `update "order".order_history set data = '{"itemId": "99"}' where order_id = 2 and type = 'orderItemDelivered'`,
  'fulfilment-licence-has-paid-unit': `update "order".purchase_order set status = 'not paid', fulfilment_status = 'not delivered', paid_at = null where order_id = 1`,
  'fulfilment-paid-unit-has-licence': 'delete from fulfillment.licence where order_id = 1 and unit_no = 2',
  'fulfilment-pool-counts': 'update fulfillment.pool set available = 2',
  'fulfilment-waits-for-codes': `update fulfillment.delivery set status = 'waiting', delivered_at = null, waiting_since = now() where order_id = 1`,
  'history-complete': 'delete from "order".order_history where order_id = 1 and version = 3',
  'history-of-orders': `update "order".order_history set type = 'orderPaid' where order_id = 1 and version = 3`,
  'history-of-payments': `update payment.payment_history set type = 'paymentFailed' where order_id = 1 and version = 4`,
  'isolation-roles': 'grant usage on schema payment to tillstream_order',
  'isolation-row-level-security': 'alter table fulfillment.licence no force row level security',
  'mails-every-paid-order': `delete from notification.mail where order_id = 3 and kind = 'licence'`,
  'mails-given-up': `update notification.mail set status = 'failed_permanently', sent_at = null where order_id = 1`,
  'mails-in-time': `update notification.mail set status = 'pending', sent_at = null, due_at = now() - interval '1 hour' where order_id = 1`,
  'messages-carrier-heard': `
    insert into carrier.topic values ('orders', 1);
    insert into carrier.log (topic, partition, "offset", key, value, headers, created_at) values ('orders', 0, 0, '', '', '{}', now() - interval '1 hour');
    insert into carrier.group_offset (consumer_group, topic, partition) values ('fulfillment', 'orders', 0)`,
  'messages-idempotency': `
    insert into gateway.answer (merchant_id, idempotency_key, request_print, request_id, locked_until)
    values (${merchant}, 'k', '', gen_random_uuid(), now() - interval '1 hour')`,
  'messages-in-order': `update "order".outbox set sent_at = sent_at + interval '1 minute' where aggregate_id = '1' and version = 2`,
  'messages-outbox-sent': `update "order".outbox set sent_at = null where aggregate_id = '1' and version = 4`,
  'messages-parked': `
    insert into fulfillment.parked_message (consumer, topic, key, partition, "offset", value, headers, error)
    values ('fulfillment', 'orders', '1', 0, 0, '', '{}', 'Error')`,
  'money-attempts-in-time': `update payment.attempt set settled_at = null, state = 'sent', due_at = now() - interval '1 hour', leased_until = now() - interval '1 hour'`,
  'money-booked-payment-is-known': `update "order".order_history set type = 'orderPaymentFailed' where order_id = 1 and type = 'orderPaid'`,
  'money-callbacks-applied': `update payment.callback set applied_at = null, due_at = now() - interval '1 hour'`,
  'money-intents-add-up': 'update payment.receipt set amount_minor = 199 where amount_minor = 200',
  'money-one-live-payment': `
    drop index payment.payment_live;
    update payment.payment set order_id = 1, reason = '', status = 'processing' where order_id in (1, 4)`,
  'money-order-totals': `update "order".purchase_order set placed = jsonb_set(placed, '{totalMinor}', '"201"') where order_id = 1`,
  'money-paid-order-has-money': `update payment.payment set status = 'expired' where order_id = 1`,
  'money-payment-goes-through-its-account': `
    insert into payment.provider_account (account_id, merchant_id, livemode, provider, credentials, settings, state, position)
    values (gen_random_uuid(), gen_random_uuid(), false, 'sandbox', '', '{}', 'active', 0);
    update payment.payment set account_id = (select account_id from payment.provider_account) where order_id = 2`,
  'money-payment-is-for-its-order': 'update payment.payment set amount_minor = 1 where order_id = 1',
  'money-provider-reference': `update payment.payment set provider_payment_id = 'sp_1' where order_id = 2`,
  'money-unpaid-while-open': `update payment.payment set status = 'seen', reason = '', expires_at = now() - interval '1 hour' where order_id = 4`,
  'money-waits-for-a-person': `update payment.payment set review_reason = 'amount_mismatch' where order_id = 4`,
  'subscription-begins-where-the-last-ended': `
    update "order".purchase_order set placed = jsonb_set(placed, '{renewal,expiresAt}', '"2030-02-02T00:00:00.000Z"') where order_id = 3`,
  'subscription-child-is-linked': 'delete from subscription.subscription_order where order_id = 3',
  'subscription-one-charge-per-term': `
    drop index payment.payment_of_slot;
    drop index payment.payment_live;
    insert into payment.payment select changed.* from payment.payment p,
      jsonb_populate_record(p, jsonb_build_object('payment_id', gen_random_uuid(), 'slot', 1)) changed where p.order_id = 3`,
  'subscription-paid-term-runs': 'update subscription.subscription set term = 1',
  'subscription-started': `
    delete from subscription.subscription_order; delete from subscription.subscription_history; delete from subscription.subscription`,
  'subscription-terms-contiguous': 'update subscription.subscription_order set term = 3 where term = 2',
  'timers-clock-advances': `
    insert into merchant.account (account_id, name) values (${merchant}, 'a');
    insert into merchant.merchant (merchant_id, account_id, livemode, shop_name) values (${merchant}, ${merchant}, false, 's');
    insert into merchant.clock_advance (advance_id, merchant_id, from_at, to_at, at, sequence, first_sequence, status, leased_until)
    values (gen_random_uuid(), ${merchant}, now(), now() + interval '1 day', now(), 1, 1, 'running', now() - interval '1 hour')`,
  'timers-in-time': `update "order".timer set due_at = now() - interval '1 hour'`,
  'timers-of-what-is-open': 'delete from "order".timer',
  'webhooks-attempts-counted': 'update webhook.attempt set http_status = 500',
  'webhooks-every-event': `
    delete from webhook.event where type = 'order.payment.succeeded' and order_id = 1`,
  'webhooks-given-up': `update webhook.endpoint set status = 'disabled'`,
  'webhooks-in-order': `update webhook.delivery set status = 'waiting', done_at = null, due_at = now() where position = 1001`,
  'webhooks-in-time': `update webhook.delivery set status = 'waiting', done_at = null where position = 3001`,
  'webhooks-shards-held': `
    update webhook.delivery set status = 'waiting', done_at = null where position = 3001;
    update webhook.shard_lease set expires_at = now() - interval '1 hour'`,
};
