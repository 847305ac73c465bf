-- Every booked payment has paid its order, or the order says that it is due for refund.
with told as (
  select order_id, count(*) as times from "order".order_history where type in ('orderPaid', 'orderPaidAgain', 'orderPaidLate') group by order_id
)
select p.order_id, count(*) as booked, coalesce(told.times, 0) as told, min(p.finalised_at) as since
from payment.payment p left join told using (order_id)
where p.status = 'booked' and p.finalised_at < merchant_now(p.merchant_id) - current_setting('doctor.grace')::interval
group by p.order_id, told.times having count(*) > coalesce(told.times, 0)
