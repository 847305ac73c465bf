-- What is delivered is known to the order, and the order knows of nothing else.
select d.order_id, d.item_id, d.status, h.version
from fulfillment.delivery d
left join "order".order_history h on h.order_id = d.order_id and h.type = 'orderItemDelivered' and h.data ->> 'itemId' = d.item_id::text
where d.status = 'delivered' and h.version is null
    and d.delivered_at < merchant_now(d.merchant_id) - current_setting('doctor.grace')::interval
  or d.status = 'waiting' and h.version is not null
