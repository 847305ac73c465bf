-- The time machine (D15): one clock per merchant that ever moved it. A merchant without a row lives by the wall.
create table test_clock (
  merchant_id uuid primary key,
  -- Grows with each setting, for ever; services ignore one that is not newer than theirs.
  sequence bigint not null,
  status text not null check (status in ('wall', 'ahead', 'advancing')),
  -- What it showed when it was set; it stands there while it is advanced, else it runs on.
  at timestamptz not null,
  set_at timestamptz not null,
  -- The last setting that every service is known to have.
  pushed_sequence bigint not null default 0
);
select secure('test_clock');
create index test_clock_to_push on test_clock (merchant_id) where status <> 'advancing' and pushed_sequence < sequence;

create table clock_advance (
  advance_id uuid primary key,
  merchant_id uuid not null,
  -- A repetition of the request finds it.
  request_id text,
  from_at timestamptz not null,
  to_at timestamptz not null check (to_at > from_at),
  -- How far it has come, and with which setting; written before the services hear of it.
  at timestamptz not null,
  sequence bigint not null,
  first_sequence bigint not null,
  status text not null check (status in ('running', 'waiting', 'done', 'abandoned')),
  -- [{"source": "payment", "what": "provider_calls", "count": 1}]
  waiting_for jsonb not null default '[]',
  fired_count integer not null default 0,
  -- By the wall.
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  leased_until timestamptz,
  -- Grows with each lease: who has lost it writes no more.
  lease bigint not null default 0,
  unique (merchant_id, request_id)
);
-- Two advances of one clock at once have no order.
create unique index clock_advance_running on clock_advance (merchant_id) where status in ('running', 'waiting');
create index clock_advance_of_merchant on clock_advance (merchant_id, advance_id);
select secure('clock_advance');

create table clock_firing (
  advance_id uuid not null references clock_advance on delete cascade,
  number integer not null,
  merchant_id uuid not null,
  at timestamptz not null,
  source text not null,
  kind text not null,
  object_id text not null,
  primary key (advance_id, number)
);
select secure('clock_firing');
