-- The messages of one thing were written and sent in the order of its versions.
-- per schema with outbox
select aggregate_type, aggregate_id, id, version, before
from (
  select aggregate_type, aggregate_id, id, version, sent_at,
    lag(version) over w as before, lag(sent_at) over w as sent_before, lag(id) over w as id_before
  from outbox window w as (partition by aggregate_type, aggregate_id order by id)
) as line
where version < before or sent_at < sent_before or (sent_at is not null and sent_before is null and id_before is not null)
