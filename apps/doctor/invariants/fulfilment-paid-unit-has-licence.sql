-- Every unit of a paid order has its licence, or waits for codes that the pool does not have.
with item as (
  select o.order_id, o.merchant_id, (i ->> 'id')::bigint as item_id, i ->> 'productId' as product_id,
    case i ->> 'oneCodePer' when 'unit' then (i ->> 'quantity')::int else 1 end as units
  from "order".purchase_order o cross join lateral jsonb_array_elements(o.placed -> 'items') i
  where o.status = 'paid' and i ->> 'deliveryMethod' = 'pool'
    and o.paid_at < merchant_now(o.merchant_id) - current_setting('doctor.grace')::interval
)
select item.order_id, item.item_id, item.units, d.status, count(l.licence_id) as licences, pool.available
from item
left join fulfillment.delivery d on d.item_id = item.item_id and d.order_id = item.order_id
left join fulfillment.licence l on l.item_id = item.item_id
left join fulfillment.pool pool on pool.merchant_id = item.merchant_id and pool.product_id = item.product_id
group by item.order_id, item.item_id, item.units, d.status, d.code_count, pool.available
having d.status is null or d.code_count <> item.units
  or d.status = 'delivered' and count(l.licence_id) <> item.units
  or d.status = 'waiting' and (count(l.licence_id) > 0 or pool.available >= item.units)
