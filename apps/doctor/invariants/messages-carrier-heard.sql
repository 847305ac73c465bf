-- On the log in Postgres: every group has heard what is older than the grace.
-- per schema with group_offset
select o.consumer_group, o.topic, o.partition, o.next_offset, min(l.created_at) as since, count(*) as waiting
from group_offset o join log l on l.topic = o.topic and l.partition = o.partition and l."offset" >= o.next_offset
where l.created_at < now() - current_setting('doctor.grace')::interval
group by 1, 2, 3, 4
