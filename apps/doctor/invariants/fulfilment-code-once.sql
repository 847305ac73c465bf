-- No code is handed out twice, and a code that was handed out is marked so.
select c.pool_code_id, c.merchant_id, c.product_id, c.issued_at, count(l.licence_id) as licences
from fulfillment.pool_code c left join fulfillment.licence l using (pool_code_id)
where c.issued_at is not null or l.licence_id is not null
group by c.pool_code_id having count(l.licence_id) <> 1 or c.issued_at is null
