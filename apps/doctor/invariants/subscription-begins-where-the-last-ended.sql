-- A renewal's term begins where the one before it ended.
select child.order_id, child.subscription_id, child.term,
  paid.item ->> 'expiresAt' as ended, child.placed -> 'renewal' ->> 'expiresAt' as begins
from "order".purchase_order child
join "order".order_history h on h.order_id = (child.placed -> 'renewal' ->> 'previousOrderId')::bigint and h.type = 'orderPaid'
cross join lateral jsonb_array_elements(h.data -> 'terms') as paid (item)
where child.subscription_id is not null and paid.item ->> 'itemId' = child.placed -> 'renewal' ->> 'previousItemId'
  and paid.item ->> 'expiresAt' <> child.placed -> 'renewal' ->> 'expiresAt'
