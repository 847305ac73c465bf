-- An intent is over the amount, in the currency and of the merchant of its order, and so is each payment, but for what others brought.
select p.payment_id, p.order_id, p.amount_minor, p.currency, o.placed ->> 'totalMinor' as order_total, o.placed ->> 'currency' as order_currency
from payment.payment p join payment.payment_intent i on i.merchant_id = p.merchant_id and i.order_id = p.order_id
left join "order".purchase_order o on o.order_id = p.order_id
where o.order_id is null or o.merchant_id <> p.merchant_id or o.livemode <> p.livemode
  or o.placed ->> 'currency' <> p.currency or (o.placed ->> 'totalMinor')::bigint <> i.amount_minor or i.currency <> p.currency
  or p.amount_minor <> i.amount_minor and (p.amount_minor > i.amount_minor or not exists (
    select from payment.receipt r where r.intent_id = i.intent_id and r.payment_id <> p.payment_id and r.amount_minor < i.amount_minor))
