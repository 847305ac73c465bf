-- Every licence belongs to a unit of a paid order: none without money, none too many.
select l.licence_id, l.order_id, l.item_id, l.unit_no, d.code_count, o.status
from fulfillment.licence l
join fulfillment.delivery d using (item_id)
left join "order".purchase_order o on o.order_id = l.order_id and o.merchant_id = l.merchant_id
where o.order_id is null or o.paid_at is null or d.order_id <> l.order_id or d.status <> 'delivered'
  or l.unit_no > d.code_count
  or not exists (select from jsonb_array_elements(o.placed -> 'items') i where (i ->> 'id')::bigint = l.item_id)
