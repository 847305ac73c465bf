-- Every table that has a merchant_id is under row-level security, also for its owner, but those that move messages.
select n.nspname as schema, c.relname as table_name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname in ('merchant', 'order', 'payment', 'fulfillment', 'subscription', 'notification', 'webhook', 'gateway')
  and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'merchant_id' and not a.attisdropped)
  and c.relname not in ('timer', 'fired_timer', 'merchant_clock')
  and not (c.relrowsecurity and c.relforcerowsecurity and exists (select from pg_policy p where p.polrelid = c.oid))
