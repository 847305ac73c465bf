-- Items that wait for codes, because their pool is empty.
-- notice
select d.merchant_id, d.product_id, count(*) as items, min(d.waiting_since) as since
from fulfillment.delivery d where d.status = 'waiting' group by 1, 2
