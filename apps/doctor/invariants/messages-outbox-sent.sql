-- Every message of a commit is sent, in time.
-- per schema with outbox
select topic, count(*) as unsent, min(id) as oldest_id, min(created_at) as since from outbox
where sent_at is null and created_at < now() - current_setting('doctor.grace')::interval
group by topic
