-- Nothing that changes is in an index, the status neither: each renewal then writes its row in place (200 rows in 5 ms, not
-- 10). Whoever lists by status reads the merchant's list in its order and leaves out the others.
drop index subscription_by_status;
