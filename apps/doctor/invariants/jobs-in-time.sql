-- A job that is due is being run, unless its destination is known to be away.
-- per schema with job
select kind, count(*) as jobs, min(due_at) as since, min(subject) as for_example from job
where due_at < merchant_now(merchant_id) - current_setting('doctor.grace')::interval
  and (leased_until is null or leased_until < now() - current_setting('doctor.grace')::interval)
  and not exists (select from job_destination away where away.kind = job.kind and away.destination = job.destination)
group by kind
