-- The terms of a subscription follow each other: each has one order, from the first to the newest, without a gap.
select s.subscription_id, s.term, s.step, array_agg(o.term order by o.term) as terms
from subscription.subscription s left join subscription.subscription_order o using (subscription_id)
group by s.subscription_id
having count(o.term) <> max(o.term) or min(o.term) <> 1 or max(o.term) < s.term or max(o.term) > s.term + 1
  or s.step = 'open' and max(o.term) <> s.term + 1
