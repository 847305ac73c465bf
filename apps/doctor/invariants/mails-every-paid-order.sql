-- Every paid order and every delivered item has its mail.
select h.order_id, h.type, h.data ->> 'itemId' as item_id, h.at
from "order".order_history h
where h.type in ('orderPaid', 'orderItemDelivered') and h.at < merchant_now(h.merchant_id) - current_setting('doctor.grace')::interval
  and not exists (
    select from notification.mail m
    where m.merchant_id = h.merchant_id and m.order_id = h.order_id
      and m.about = case h.type when 'orderPaid' then h.order_id::text else h.order_id || '.' || (h.data ->> 'itemId') end
      and m.kind = case h.type when 'orderPaid' then 'payment_confirmed' else 'licence' end)
