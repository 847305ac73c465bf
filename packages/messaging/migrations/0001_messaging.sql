-- The tables that move messages. No row-level security here: relay, consumers and timers work for all merchants, and the
-- rows hold no personal data (docs/decisions/thin-events.md).

create table outbox (
  id bigint generated always as identity primary key,
  event_id uuid not null unique,
  topic text not null,
  key text not null,
  value bytea not null,
  headers jsonb not null,
  aggregate_type text not null,
  aggregate_id text not null,
  version bigint not null,
  created_at timestamptz not null default now(),
  sent_at timestamptz
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01);
-- The relay reads these only; a sent row leaves the index.
create index outbox_unsent on outbox (id) where sent_at is null;
create index outbox_sent on outbox (sent_at) where sent_at is not null;

create table inbox (
  consumer text not null,
  message_id uuid not null,
  seen_at timestamptz not null default now(),
  primary key (consumer, message_id)
) with (autovacuum_vacuum_scale_factor = 0.01);
create index inbox_seen on inbox (seen_at);

create table timer (
  machine text not null,
  aggregate_id text not null,
  kind text not null,
  -- New with each setting: the message id of its firing.
  timer_id uuid not null unique,
  merchant_id uuid not null,
  due_at timestamptz not null,
  leased_until timestamptz,
  traceparent text not null,
  primary key (machine, aggregate_id, kind)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01);
create index timer_due on timer (due_at);

create table parked_message (
  id bigint generated always as identity primary key,
  consumer text not null,
  topic text not null,
  key text not null,
  partition integer not null,
  "offset" bigint not null,
  value bytea not null,
  headers jsonb not null,
  -- The error's name and message; never the payload.
  error text not null,
  parked_at timestamptz not null default now(),
  unique (consumer, topic, partition, "offset")
);
create index parked_key on parked_message (consumer, topic, key, id);
