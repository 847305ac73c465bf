-- A term runs because its order is paid, and a paid order's term runs.
select s.subscription_id, s.term as runs, o.order_id, t.term, o.status
from subscription.subscription s
join subscription.subscription_order t using (subscription_id)
left join "order".purchase_order o using (order_id)
where t.term <= s.term and o.status is distinct from 'paid'
  or t.term > s.term and o.status = 'paid' and o.paid_at < merchant_now(o.merchant_id) - current_setting('doctor.grace')::interval
