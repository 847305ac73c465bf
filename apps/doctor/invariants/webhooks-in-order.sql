-- The webhooks about one subject, such as an order, reach an endpoint in the order of its events.
select endpoint_id, subject_kind, subject_id, position, before as not_before
from (
  select d.endpoint_id, d.subject_kind, d.subject_id, d.merchant_id, d.position, d.status, d.done_at,
    lag(d.position) over w as before, lag(d.status) over w as status_before, lag(d.done_at) over w as done_before
  from webhook.delivery d
  -- What a person has sent by hand may overtake.
  where not exists (select from webhook.attempt a where a.delivery_id = d.id and a.trigger = 'manual')
  window w as (partition by d.endpoint_id, d.subject_kind, d.subject_id order by d.position)
) as chain
where status = 'delivered'
  -- A merchant's own clock goes back when it is given back to the wall: its instants tell no order then.
  and (status_before = 'waiting'
    or done_at < done_before and not exists (select from webhook.merchant_clock c where c.merchant_id = chain.merchant_id))
