-- Where webhooks wait, somebody holds the shard.
select s.shard, s.expires_at, s.epoch from webhook.shard_lease s
where s.expires_at < now() - current_setting('doctor.grace')::interval
  and exists (
    select from webhook.endpoint e join webhook.delivery d on d.endpoint_id = e.id
    where e.shard = s.shard and e.status = 'active' and d.status = 'waiting' and d.due_at < now())
