-- Requests with an Idempotency-Key whose answer nobody has asked for again since they broke off.
-- notice
select merchant_id, count(*) as requests, min(created_at) as since from gateway.answer
where status is null and locked_until < now() - current_setting('doctor.grace')::interval
  and created_at > now() - interval '1 day'
group by merchant_id
