-- A paid order with items that renew has started their subscriptions.
select o.order_id, paid.item ->> 'itemId' as item_id, o.paid_at
from "order".purchase_order o
join "order".order_history h on h.order_id = o.order_id and h.type = 'orderPaid'
cross join lateral jsonb_array_elements(h.data -> 'terms') as paid (item)
where o.subscription_id is null and o.paid_at < merchant_now(o.merchant_id) - current_setting('doctor.grace')::interval
  and not exists (
    select from subscription.subscription s
    where s.subscription_id = o.order_id || '_' || (paid.item ->> 'itemId') and s.merchant_id = o.merchant_id)
