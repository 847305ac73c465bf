-- Jobs that wait for a destination that does not answer.
-- notice
-- per schema with job
select kind, destination, away.reason, away_since as since, count(*) as jobs, min(queued_at) as oldest
from job_destination away join job using (kind, destination)
where job.due_at is not null and away_since < now() - current_setting('doctor.grace')::interval
group by kind, destination, away.reason, away_since
