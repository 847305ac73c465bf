-- The role of a service is no superuser, does not pass row-level security by, owns nothing, and reaches its own schema only.
with service (schema, role) as (values
  ('merchant', 'tillstream_merchant'), ('order', 'tillstream_order'), ('payment', 'tillstream_payment'), ('fulfillment', 'tillstream_fulfillment'),
  ('subscription', 'tillstream_subscription'), ('notification', 'tillstream_notification'), ('webhook', 'tillstream_webhook'), ('gateway', 'tillstream_gateway')
)
select r.rolname as role, 'is privileged' as what, '' as where_to from pg_roles r join service on service.role = r.rolname
where r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb
union all
select service.role, 'owns a table', c.relname from service
join pg_roles r on r.rolname = service.role join pg_class c on c.relowner = r.oid
union all
select service.role, 'may enter a foreign schema', n.nspname from service
join pg_roles r on r.rolname = service.role
join pg_namespace n on n.nspname in (select schema from service) and n.nspname <> service.schema
where has_schema_privilege(r.oid, n.oid, 'usage')
