-- What is called delivered was answered by the receiver.
select d.id as delivery_id, d.endpoint_id, d.attempt_count, count(a.number) as attempts
from webhook.delivery d left join webhook.attempt a on a.delivery_id = d.id
where d.status = 'delivered' and d.created_at > now() - interval '2 days'
group by d.id
having count(a.number) <> d.attempt_count or not bool_or(a.http_status between 200 and 299)
