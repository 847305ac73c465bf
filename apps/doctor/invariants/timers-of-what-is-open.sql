-- What waits for a time has a timer: an unpaid order for its end, an open payment for its expiry.
select 'order' as machine, o.order_id::text as id, o.status from "order".purchase_order o
where o.status = 'not paid'
  and not exists (select from "order".timer t where t.machine = 'order' and t.aggregate_id = o.order_id::text and t.kind = 'delete unpaid')
union all
select 'payment', p.payment_id::text, p.status from payment.payment p
where p.status in ('created', 'seen')
  and not exists (select from payment.timer t where t.machine = 'payment' and t.aggregate_id = p.payment_id::text and t.kind = 'expire')
