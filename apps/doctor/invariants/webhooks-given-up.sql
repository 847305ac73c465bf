-- Webhooks that were given up, and endpoints that were disabled.
-- notice
select e.id as endpoint_id, e.status, e.disabled_reason, count(d.id) filter (where d.status = 'exhausted') as given_up
from webhook.endpoint e left join webhook.delivery d on d.endpoint_id = e.id
where e.status <> 'deleted'
group by e.id having e.status = 'disabled' or count(d.id) filter (where d.status = 'exhausted') > 0
