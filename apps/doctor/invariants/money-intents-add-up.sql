-- What an intent received is the sum of its receipts, each booked payment has one over what it brought, and its status follows.
with received as (
  select r.intent_id, sum(r.amount_minor) as amount, count(*) filter (where p.status <> 'booked' or p.merchant_id <> r.merchant_id or r.currency <> p.currency) as wrong
  from payment.receipt r join payment.payment p using (payment_id) where r.taken_for in ('counted', 'surplus') group by r.intent_id
), booked as (
  select merchant_id, order_id, count(*) as payments,
    count(*) filter (where amount_minor > 0 and not exists (
      select from payment.receipt r where r.payment_id = p.payment_id and r.taken_for in ('counted', 'surplus'))) as without
  from payment.payment p where status = 'booked' group by merchant_id, order_id
)
select i.order_id, i.status, i.amount_minor, i.received_minor, coalesce(received.amount, 0) as receipts, coalesce(booked.payments, 0) as booked
from payment.payment_intent i left join received using (intent_id) left join booked using (merchant_id, order_id)
where i.received_minor <> coalesce(received.amount, 0) or received.wrong > 0 or booked.without > 0
  or (i.status in ('paid', 'overpaid')) <> (booked.payments is not null and i.received_minor >= i.amount_minor)
union all
select p.order_id, 'no intent', p.amount_minor, 0, 0, 0 from payment.payment p
where not exists (select from payment.payment_intent i where i.merchant_id = p.merchant_id and i.order_id = p.order_id)
