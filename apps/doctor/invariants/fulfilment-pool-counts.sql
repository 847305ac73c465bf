-- A pool counts its codes rightly.
select p.merchant_id, p.product_id, p.available, p.issued,
  count(c.pool_code_id) filter (where c.issued_at is null) as codes_left, count(c.issued_at) as codes_issued
from fulfillment.pool p left join fulfillment.pool_code c using (merchant_id, product_id)
group by p.merchant_id, p.product_id
having p.available <> count(c.pool_code_id) filter (where c.issued_at is null) or p.issued <> count(c.issued_at)
