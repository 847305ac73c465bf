-- A payment is over the amount, in the currency and of the merchant of its order.
select p.payment_id, p.order_id, p.amount_minor, p.currency, o.placed ->> 'totalMinor' as order_total, o.placed ->> 'currency' as order_currency
from payment.payment p left join "order".purchase_order o using (order_id)
where o.order_id is null or o.merchant_id <> p.merchant_id or o.livemode <> p.livemode
  or o.placed ->> 'currency' <> p.currency or (o.placed ->> 'totalMinor')::bigint <> p.amount_minor
