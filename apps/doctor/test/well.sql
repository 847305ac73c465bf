-- A small installation that is well: a purchase of two units, a subscription in its second term, what was told of them.
insert into "order".purchase_order (order_id, merchant_id, livemode, status, fulfilment_status, version, token, placed, customer_email, external_id, paid_at, created_at, subscription_id, term) values
  (1, '00000000-0000-7000-8000-000000000001', false, 'paid', 'delivered', 4, 't1', '{"totalMinor": "200", "currency": "EUR", "items": [{"id": "11", "productId": "100", "priceMinor": "100", "quantity": 2, "discountMinor": "0", "amountMinor": "200", "oneCodePer": "unit", "deliveryMethod": "pool"}]}', 'a@example.com', '', now() - interval '1 hour', now() - interval '1 hour', null, null),
  (2, '00000000-0000-7000-8000-000000000001', false, 'paid', 'delivered', 4, 't2', '{"totalMinor": "100", "currency": "EUR", "items": [{"id": "21", "productId": "100", "priceMinor": "100", "quantity": 1, "discountMinor": "0", "amountMinor": "100", "oneCodePer": "unit", "deliveryMethod": "pool"}]}', 'b@example.com', '', now() - interval '1 hour', now() - interval '1 hour', null, null),
  (3, '00000000-0000-7000-8000-000000000001', false, 'paid', 'delivered', 4, 't3', '{"totalMinor": "100", "currency": "EUR", "items": [{"id": "31", "productId": "100", "priceMinor": "100", "quantity": 1, "discountMinor": "0", "amountMinor": "100", "oneCodePer": "unit", "deliveryMethod": "pool"}], "renewal": {"previousOrderId": "2", "previousItemId": "21", "expiresAt": "2030-02-01T00:00:00.000Z"}}', 'b@example.com', '', now() - interval '1 hour', now() - interval '1 hour', '2_21', 2),
  (4, '00000000-0000-7000-8000-000000000001', false, 'not paid', 'not delivered', 2, 't4', '{"totalMinor": "100", "currency": "EUR", "items": [{"id": "41", "productId": "100", "priceMinor": "100", "quantity": 1, "discountMinor": "0", "amountMinor": "100", "oneCodePer": "unit", "deliveryMethod": "pool"}]}', 'c@example.com', '', null, now() - interval '1 hour', null, null);
insert into "order".order_history (order_id, version, merchant_id, type, at, trace_id, data)
select o.order_id, story.version, o.merchant_id, story.type, now() - interval '1 hour', '',
  case story.type
    when 'orderPaid' then jsonb_build_object('terms', case o.order_id when 2 then '[{"itemId": "21", "expiresAt": "2030-02-01T00:00:00.000Z"}]' when 3 then '[{"itemId": "31", "expiresAt": "2030-03-01T00:00:00.000Z"}]' else '[]' end::jsonb)
    when 'orderItemDelivered' then jsonb_build_object('itemId', o.order_id || '1') else '{}' end
from "order".purchase_order o cross join (values (1, 'orderCreated'), (2, 'orderPaid'), (3, 'orderItemDelivered'), (4, 'orderDelivered')) story (version, type)
where o.order_id <> 4
union all
select 4, version, '00000000-0000-7000-8000-000000000001', type, now() - interval '1 hour', '', '{}' from (values (1, 'orderCreated'), (2, 'orderPaymentFailed')) story (version, type);
insert into "order".timer (machine, aggregate_id, kind, timer_id, merchant_id, due_at, traceparent) values
  ('order', '4', 'delete unpaid', gen_random_uuid(), '00000000-0000-7000-8000-000000000001', now() + interval '80 days', '');
insert into "order".outbox (event_id, topic, key, value, headers, aggregate_type, aggregate_id, version, created_at, sent_at)
select gen_random_uuid(), 'orders', order_id::text, '', '{}', 'order', order_id::text, version, at, at + interval '1 second' from "order".order_history order by order_id, version;

insert into payment.payment_intent (intent_id, merchant_id, order_id, amount_minor, currency, received_minor, status, attempts, created_at)
select ('00000000-0000-7000-8000-00000000020' || order_id)::uuid, merchant_id, order_id, (placed ->> 'totalMinor')::bigint, 'EUR',
  case status when 'paid' then (placed ->> 'totalMinor')::bigint else 0 end, case status when 'paid' then 'paid' else 'unpaid' end, 1, created_at from "order".purchase_order;
insert into payment.payment (payment_id, merchant_id, order_id, livemode, status, version, amount_minor, currency, method, provider, provider_payment_id, redirect_url, return_url, locale, description, is_outcome_unknown, review_reason, reason, provider_error_code, provider_error_description, created_at, expires_at, finalised_at, traceparent, is_off_session, subscription_id, term, slot)
select ('00000000-0000-7000-8000-00000000010' || order_id)::uuid, merchant_id, order_id, false, case order_id when 4 then 'failed' else 'booked' end, 5, (placed ->> 'totalMinor')::bigint, 'EUR', 'CreditCard', 'sandbox', 'sp_' || order_id, '', '', 'en', '', false, '',
  case order_id when 4 then 'declined' else '' end, '', '', created_at, case order_id when 3 then null else created_at + interval '30 minutes' end, created_at, '', order_id = 3, subscription_id, term, case order_id when 3 then 0 end
from "order".purchase_order;
insert into payment.receipt (receipt_id, intent_id, payment_id, merchant_id, amount_minor, currency, taken_for, received_at)
select gen_random_uuid(), i.intent_id, p.payment_id, p.merchant_id, p.amount_minor, p.currency, 'counted', p.finalised_at
from payment.payment p join payment.payment_intent i using (merchant_id, order_id) where p.status = 'booked';
insert into payment.payment_history (payment_id, version, merchant_id, order_id, type, at, trace_id)
select p.payment_id, story.version, p.merchant_id, p.order_id, case story.type when 'paymentBooked' then case p.order_id when 4 then 'paymentFailed' else 'paymentBooked' end else story.type end, p.created_at, ''
from payment.payment p cross join (values (1, 'paymentCreated'), (2, 'pageKnown'), (3, 'paymentSeen'), (4, 'paymentProcessing'), (5, 'paymentBooked')) story (version, type);
insert into payment.attempt (attempt_id, merchant_id, payment_id, kind, state, tries, created_at, settled_at)
select gen_random_uuid(), merchant_id, payment_id, 'create', 'open', 1, created_at, created_at from payment.payment;
insert into payment.callback (callback_id, provider, provider_event_id, body, received_at, traceparent, applied_at)
select gen_random_uuid(), 'sandbox', payment_id::text, '', created_at, '', created_at from payment.payment;

insert into fulfillment.pool (merchant_id, product_id, available, issued) values ('00000000-0000-7000-8000-000000000001', '100', 1, 4);
insert into fulfillment.pool_code (pool_code_id, merchant_id, product_id, sealed, fingerprint, issued_at)
select n, '00000000-0000-7000-8000-000000000001', '100', '', int4send(n), case when n < 5 then now() - interval '1 hour' end from generate_series(1, 5) n;
insert into fulfillment.delivery (item_id, merchant_id, order_id, product_id, quantity, one_code_per, code_count, status, version, delivered_at)
select order_id * 10 + 1, merchant_id, order_id, '100', case order_id when 1 then 2 else 1 end, 'unit', case order_id when 1 then 2 else 1 end, 'delivered', 1, paid_at from "order".purchase_order where status = 'paid';
insert into fulfillment.licence (licence_id, merchant_id, order_id, item_id, unit_no, pool_code_id, issued_at)
select gen_random_uuid(), '00000000-0000-7000-8000-000000000001', order_id, order_id * 10 + 1, unit_no, code, now() - interval '1 hour' from (values (1, 1, 1), (1, 2, 2), (2, 1, 3), (3, 1, 4)) given (order_id, unit_no, code);

insert into subscription.subscription (subscription_id, merchant_id, livemode, status, version, parent_order_id, parent_item_id, product_id, product_name, quantity, type, period, trial_period, time_zone, currency, renewal_price, renewal_price_minor, started_at, term, anchor_on, periods, expires_at, next_charge_at, last_order_id, last_item_id, instrument_id, price_minor, step, last_slot, is_expired)
values ('2_21', '00000000-0000-7000-8000-000000000001', false, 'active', 1, 2, 21, '100', 'Monthly', 1, 'AR', 'P1M', '', 'UTC', 'EUR', 'snapshot', 100, now(), 2, '2030-01-01', 2, '2030-03-01', '2030-02-27', 3, 31, '', 100, 'planned', -1, false);
insert into subscription.subscription_history (subscription_id, version, merchant_id, term, type, at, trace_id, data) values ('2_21', 1, '00000000-0000-7000-8000-000000000001', 1, 'subscriptionStarted', now(), '', '{}');
insert into subscription.subscription_order (order_id, subscription_id, merchant_id, term) values (2, '2_21', '00000000-0000-7000-8000-000000000001', 1), (3, '2_21', '00000000-0000-7000-8000-000000000001', 2);

insert into notification.mail (id, merchant_id, kind, about, order_id, item_id, status, sent_at, traceparent, created_at)
select gen_random_uuid(), merchant_id, kind, case kind when 'licence' then order_id || '.' || order_id || '1' else order_id::text end, order_id, case kind when 'licence' then order_id * 10 + 1 end, 'sent', paid_at, '', paid_at
from "order".purchase_order cross join (values ('payment_confirmed'), ('licence')) kinds (kind) where status = 'paid';

insert into webhook.endpoint (id, merchant_id, livemode, shard, url, events, description, status, sign_seed, sign_standard, secrets, metadata, resumed_at)
values ('00000000-0000-7000-8000-0000000000e1', '00000000-0000-7000-8000-000000000001', false, 0, 'https://example.com', '{}', '', 'active', true, true, '', '{}', now());
insert into webhook.event (id, merchant_id, livemode, source_event_id, item_id, type, subject_kind, subject_id, order_id, position, occurred_at, body, traceparent)
select gen_random_uuid(), h.merchant_id, false, gen_random_uuid(), h.order_id * 10 + 1, told.webhook, 'order', h.order_id::text, h.order_id, h.version * 1000 + 1, h.at, '', ''
from "order".order_history h join (values ('orderCreated', 'order.created'), ('orderPaymentFailed', 'order.payment.failed'), ('orderPaid', 'order.payment.succeeded'), ('orderItemDelivered', 'product.delivered')) told (type, webhook) using (type);
insert into webhook.delivery (merchant_id, endpoint_id, event_id, shard, subject_kind, subject_id, order_id, position, status, attempt_count, due_at, done_at)
select merchant_id, '00000000-0000-7000-8000-0000000000e1', id, 0, subject_kind, subject_id, order_id, position, 'delivered', 1, now() - interval '1 hour', now() - interval '1 hour' + position * interval '1 millisecond' from webhook.event;
insert into webhook.attempt (delivery_id, number, merchant_id, endpoint_id, at, trigger, http_status, error, duration_ms, response_start, trace_id)
select id, 1, merchant_id, endpoint_id, done_at, 'scheduled', 200, '', 1, '', '' from webhook.delivery;
