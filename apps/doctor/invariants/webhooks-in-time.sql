-- A webhook that is due to an endpoint that answers is being delivered.
select d.endpoint_id, count(*) as overdue, min(d.due_at) as since
from webhook.delivery d join webhook.endpoint e on e.id = d.endpoint_id
where d.status = 'waiting' and e.status = 'active' and e.first_failure_at is null
  and d.due_at < merchant_now(d.merchant_id) - current_setting('doctor.grace')::interval
  and not exists (
    select from webhook.delivery earlier
    where earlier.endpoint_id = d.endpoint_id and earlier.subject_kind = d.subject_kind and earlier.subject_id = d.subject_id
      and earlier.position < d.position and earlier.status = 'waiting')
group by d.endpoint_id
