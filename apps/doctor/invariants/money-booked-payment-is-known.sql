-- An intent that is paid has paid its order, and each booked surplus is due for refund there. A part of a sum is not told.
with told as (
  select order_id, count(*) as times from "order".order_history where type in ('orderPaid', 'orderPaidAgain', 'orderPaidLate') group by order_id
), due as (
  select i.order_id, 1 + (select count(*) from payment.receipt r where r.intent_id = i.intent_id and r.taken_for = 'surplus') as times,
    (select max(p.finalised_at) from payment.payment p where p.merchant_id = i.merchant_id and p.order_id = i.order_id and p.status = 'booked') as since, i.merchant_id
  from payment.payment_intent i where i.status in ('paid', 'overpaid')
)
select due.order_id, due.times as booked, coalesce(told.times, 0) as told, due.since
from due left join told using (order_id)
where due.since < merchant_now(due.merchant_id) - current_setting('doctor.grace')::interval and due.times > coalesce(told.times, 0)
