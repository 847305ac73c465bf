-- An order was paid as often as it says: no order is paid without a booked payment of its own.
with booked as (
  select merchant_id, order_id, count(*) as times from payment.payment where status = 'booked' group by merchant_id, order_id
)
select o.order_id, o.status, count(h.version) as told, coalesce(booked.times, 0) as booked
from "order".purchase_order o
left join "order".order_history h on h.order_id = o.order_id and h.type in ('orderPaid', 'orderPaidAgain', 'orderPaidLate')
left join booked on booked.order_id = o.order_id and booked.merchant_id = o.merchant_id
group by o.order_id, o.status, booked.times
having count(h.version) > coalesce(booked.times, 0) or o.status = 'paid' and count(h.version) = 0
