-- A timer that is due has fired.
-- per schema with timer
select t.machine, t.kind, t.aggregate_id, t.due_at, l.leased_until
from timer t left join timer_lease l using (timer_id)
where t.due_at < merchant_now(t.merchant_id) - current_setting('doctor.grace')::interval
  and (l.leased_until is null or l.leased_until < now() - current_setting('doctor.grace')::interval)
