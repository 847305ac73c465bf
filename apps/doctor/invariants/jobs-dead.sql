-- Jobs that were given up: a person may repair what stood in their way and replay them.
-- notice
-- per schema with job
select kind, reason, count(*) as jobs, min(settled_at) as since, min(subject) as for_example from job
where state = 'dead'
group by kind, reason
