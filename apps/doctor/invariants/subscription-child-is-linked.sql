-- Every renewal order is known to the subscription that asked for it.
select o.order_id, o.subscription_id, o.term, o.created_at
from "order".purchase_order o
where o.subscription_id is not null and o.created_at < merchant_now(o.merchant_id) - current_setting('doctor.grace')::interval
  and not exists (
    select from subscription.subscription_order t
    where t.order_id = o.order_id and t.subscription_id = o.subscription_id and t.term = o.term)
