-- An order's total is the sum of its lines, and a line is price × quantity − discount.
with line as (
  select o.order_id, o.placed ->> 'totalMinor' as total, o.placed ->> 'currency' as currency,
    (item ->> 'amountMinor')::bigint as amount,
    (item ->> 'priceMinor')::bigint * (item ->> 'quantity')::bigint - (item ->> 'discountMinor')::bigint as computed
  from "order".purchase_order o cross join lateral jsonb_array_elements(o.placed -> 'items') item
)
select order_id, total, sum(amount) as lines, sum(computed) as computed
from line group by order_id, total
having total::bigint <> sum(amount) or bool_or(amount <> computed)
