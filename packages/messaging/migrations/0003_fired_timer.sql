-- What fired while a merchant's clock was being advanced, for the answer to whoever advanced it. Forgotten with the next
-- advance.
create table fired_timer (
  id bigint generated always as identity primary key,
  timer_id uuid not null unique,
  merchant_id uuid not null,
  sequence bigint not null,
  machine text not null,
  kind text not null,
  aggregate_id text not null,
  due_at timestamptz not null
);
create index fired_timer_of_merchant on fired_timer (merchant_id, sequence);
