create table endpoint (
  id uuid primary key,
  merchant_id uuid not null,
  livemode boolean not null,
  shard smallint not null check (shard between 0 and 63),
  url text not null check (length(url) <= 2048),
  -- Empty = every event.
  events text[] not null,
  description text not null,
  -- A deleted one stays while its deliveries do.
  status text not null check (status in ('active', 'paused', 'disabled', 'deleted')),
  disabled_reason text not null default '',
  sign_seed boolean not null,
  sign_standard boolean not null,
  -- Sealed: {"seed": …, "standard": …}. The old ones are kept for the 24 hours after a rotation.
  secrets bytea not null,
  old_secrets bytea,
  rotated_at timestamptz,
  metadata jsonb not null,
  request_id uuid,
  -- Of the failures since the last success: how long it has been failing.
  first_failure_at timestamptz,
  -- Waiting deliveries are kept for so long after this, at least.
  resumed_at timestamptz not null,
  created_at timestamptz not null default now(),
  unique (merchant_id, request_id)
);
create index endpoint_of_merchant on endpoint (merchant_id, id) where status <> 'deleted';
create index endpoint_of_shard on endpoint (shard) where status = 'active';
select secure('endpoint');

create table event (
  -- evt_…: the webhook-id of all its deliveries.
  id uuid primary key,
  merchant_id uuid not null,
  livemode boolean not null,
  -- The order event, and the item: one webhook per product.
  source_event_id uuid not null,
  item_id bigint not null,
  type text not null,
  order_id bigint not null,
  -- Its place in the order's story.
  position bigint not null,
  occurred_at timestamptz not null,
  created_at timestamptz not null default now(),
  -- Sealed: it may hold licence codes.
  body bytea not null,
  traceparent text not null,
  unique (merchant_id, source_event_id, item_id)
);
create index event_of_merchant on event (merchant_id, id);
create index event_of_order on event (merchant_id, order_id);
create index event_created on event (created_at);
select secure('event');

create table delivery (
  id uuid primary key default uuidv7(),
  merchant_id uuid not null,
  endpoint_id uuid not null references endpoint (id),
  event_id uuid not null references event (id) on delete cascade,
  shard smallint not null,
  -- The chain is (endpoint, order), in order of position; only its first waiting one is sent.
  order_id bigint not null,
  position bigint not null,
  status text not null check (status in ('waiting', 'delivered', 'exhausted', 'cancelled')),
  -- Failures that counted: where it stands in the retry schedule.
  step smallint not null default 0,
  attempt_count integer not null default 0,
  due_at timestamptz not null,
  tried_at timestamptz,
  -- The last attempt met a receiver that was away.
  was_away boolean not null default false,
  created_at timestamptz not null default now(),
  done_at timestamptz,
  unique (endpoint_id, event_id),
  check ((status = 'waiting') = (done_at is null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01);
create index delivery_chain on delivery (endpoint_id, order_id, position);
create index delivery_waiting on delivery (endpoint_id, order_id, position) where status = 'waiting';
create index delivery_of_merchant on delivery (merchant_id, id);
create index delivery_of_order on delivery (merchant_id, order_id);
create index delivery_of_event on delivery (event_id);
select secure('delivery');

create table attempt (
  delivery_id uuid not null references delivery (id) on delete cascade,
  number integer not null,
  merchant_id uuid not null,
  endpoint_id uuid not null,
  at timestamptz not null,
  trigger text not null check (trigger in ('scheduled', 'manual')),
  http_status smallint not null,
  error text not null,
  duration_ms integer not null,
  response_start text not null check (length(response_start) <= 1024),
  trace_id text not null,
  primary key (delivery_id, number)
);
create index attempt_recent on attempt (endpoint_id, at);
select secure('attempt');

-- Whoever holds a shard schedules its endpoints, alone; the epoch fences writes of one who held it before.
create table shard_lease (
  shard smallint primary key,
  owner uuid,
  epoch bigint not null default 0,
  expires_at timestamptz not null default now()
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);
insert into shard_lease (shard) select generate_series(0, 63);

-- Those who share the shards.
create table dispatcher (
  id uuid primary key,
  seen_at timestamptz not null
);
