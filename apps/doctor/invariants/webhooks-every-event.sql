-- Every event of an order that merchants hear of has its webhook event in the profile seed, one per product that it is about.
with heard (type, webhook) as (values
  ('orderCreated', 'order.created'), ('orderPaymentFailed', 'order.payment.failed'), ('orderPaid', 'order.payment.succeeded'),
  ('orderItemDelivered', 'product.delivered'), ('orderSubscriptionCancelled', 'subscription.cancelled'), ('orderSubscriptionRestored', 'subscription.restored')
), owed as (
  select h.merchant_id, h.order_id, h.version, heard.webhook, h.at,
    case heard.webhook when 'product.delivered' then 1 when 'subscription.cancelled' then 1 when 'subscription.restored' then 1
      else jsonb_array_length(o.placed -> 'items') end as items
  from "order".order_history h join heard using (type) join "order".purchase_order o using (order_id)
  -- What is older is swept away in its time.
  where h.at > now() - interval '2 days' and h.at < merchant_now(h.merchant_id) - current_setting('doctor.grace')::interval
)
select owed.order_id, owed.version, owed.webhook, owed.items, count(e.id) as events
from owed left join webhook.event e
  on e.merchant_id = owed.merchant_id and e.order_id = owed.order_id and e.payload_profile = 'seed' and e.type = owed.webhook and e.position / 1000 = owed.version
group by owed.order_id, owed.version, owed.webhook, owed.items having count(e.id) <> owed.items
