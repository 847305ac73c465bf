-- Calls to the outside. A job is written in the commit that causes it, and its id is the idempotency key of the call for
-- ever: a row is never deleted and its id never changes.
create table job (
  job_id uuid primary key,
  merchant_id uuid not null,
  kind text not null,
  -- What the call is about, for people: "licence 4711.1".
  subject text not null,
  -- Equal to the subject where the same kind may be asked for one subject once only; null otherwise.
  once_key text,
  -- What is called: an account at a provider, a mail server. Concurrency and the circuit breaker count by it.
  destination text not null,
  payload jsonb not null default '{}',
  state text not null default 'pending' check (state in ('pending', 'done', 'not_wanted', 'dead')),
  -- By the merchant's clock: when it may be run next. Null = settled.
  due_at timestamptz,
  -- By the wall's clock: no process takes it earlier. The end of a lease, or of a pause after the destination did not answer.
  leased_until timestamptz,
  -- Grows with each lease; a result under an old epoch is refused.
  epoch bigint not null default 0,
  -- Tries that the destination answered, or that are counted although it did not.
  tries integer not null default 0,
  -- Why the last try did not settle it, in a word of ours. Never the words of the destination: they quote addresses.
  reason text not null default '',
  traceparent text not null,
  -- By the merchant's clock.
  created_at timestamptz not null,
  settled_at timestamptz,
  -- What its age is counted from, by the merchant's clock and by the wall's; a replay begins anew.
  age_from timestamptz not null,
  queued_at timestamptz not null default now(),
  unique (merchant_id, kind, once_key),
  check ((state = 'pending') = (due_at is not null)),
  check ((state = 'pending') = (settled_at is null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
-- The workers read these only. Neither has a column that a lease changes, so that a lease is a change within the page.
create index job_due on job (kind, due_at, job_id) where due_at is not null;
create index job_due_of_merchant on job (merchant_id, due_at) where due_at is not null;
create index job_dead on job (kind) where state = 'dead';
select secure('job');

-- Destinations that did not answer several times in a row: their circuit breaker is open. A row goes when one answers again.
create table job_destination (
  kind text not null,
  destination text not null,
  -- By the wall's clock: since when, and until when nothing of it is tried.
  away_since timestamptz not null default now(),
  open_until timestamptz not null,
  -- How often the breaker opened in a row; the pauses grow with it.
  opened integer not null default 1,
  reason text not null,
  primary key (kind, destination)
);
