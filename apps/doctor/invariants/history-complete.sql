-- Every history has the versions 1, 2, 3 … up to what its row says.
select 'order' as machine, o.order_id::text as id, o.version, count(h.version) as rows, min(h.version) as first, max(h.version) as last
from "order".purchase_order o left join "order".order_history h using (order_id) group by o.order_id
having count(h.version) <> o.version or min(h.version) is distinct from 1 or max(h.version) is distinct from o.version
union all
select 'payment', p.payment_id::text, p.version, count(h.version), min(h.version), max(h.version)
from payment.payment p left join payment.payment_history h using (payment_id) group by p.payment_id
having count(h.version) <> p.version or min(h.version) is distinct from 1 or max(h.version) is distinct from p.version
union all
select 'subscription', s.subscription_id, s.version, count(h.version), min(h.version), max(h.version)
from subscription.subscription s left join subscription.subscription_history h using (subscription_id) group by s.subscription_id
having count(h.version) <> s.version or min(h.version) is distinct from 1 or max(h.version) is distinct from s.version
