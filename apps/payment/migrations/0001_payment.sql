create table payment (
  payment_id uuid primary key,
  merchant_id uuid not null,
  order_id bigint not null,
  livemode boolean not null,
  status text not null check (status in ('created', 'seen', 'processing', 'confirmed', 'booked', 'failed', 'expired', 'withdrawn', 'processing_expired')),
  version bigint not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  method text not null,
  provider text not null,
  provider_payment_id text not null,
  redirect_url text not null,
  return_url text not null,
  locale text not null,
  description text not null,
  is_outcome_unknown boolean not null,
  review_reason text not null check (review_reason in ('', 'amount_mismatch', 'paid_after_final')),
  reason text not null,
  provider_error_code text not null,
  provider_error_description text not null,
  card_type text not null,
  card_last_4 text not null check (length(card_last_4) <= 4),
  card_expiration text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  finalised_at timestamptz,
  -- Of the click that started it: what the provider tells later continues that trace.
  traceparent text not null,
  check ((status = 'failed') = (reason <> ''))
) with (fillfactor = 85);
-- At most one payment of an order may still end with money.
create unique index payment_live on payment (merchant_id, order_id) where status in ('created', 'seen', 'processing', 'confirmed');
create index payment_of_order on payment (merchant_id, order_id, payment_id);
create index payment_of_merchant on payment (merchant_id, payment_id);
select secure('payment');

-- When the provider was last asked for a customer who came back: it is asked every two seconds at most.
create table payment_asked (
  payment_id uuid primary key references payment,
  merchant_id uuid not null,
  asked_at timestamptz not null
);
select secure('payment_asked');

-- What happened, for the timeline.
create table payment_history (
  payment_id uuid not null,
  version bigint not null,
  merchant_id uuid not null,
  order_id bigint not null,
  type text not null,
  at timestamptz not null,
  trace_id text not null,
  primary key (payment_id, version)
);
create index payment_history_of_order on payment_history (merchant_id, order_id);
select secure('payment_history');

-- Written before the provider is called. The id is the provider's idempotency key for ever; a row is never deleted.
create table attempt (
  attempt_id uuid primary key,
  merchant_id uuid not null,
  payment_id uuid not null references payment,
  kind text not null check (kind in ('create')),
  state text not null check (state in ('intended', 'sent', 'open', 'declined', 'unknown')),
  tries integer not null default 0,
  -- When to try next; null = settled, or a person must look.
  due_at timestamptz,
  leased_until timestamptz,
  -- Grows with each lease: a result of an old lease is not written.
  lease bigint not null default 0,
  created_at timestamptz not null default now(),
  settled_at timestamptz
) with (fillfactor = 85);
create index attempt_of_payment on attempt (payment_id);
create index attempt_due on attempt (due_at) where due_at is not null;
select secure('attempt');

-- Callbacks as they came, before anything is made of them. Whose they are is only known by reading them.
create table callback (
  callback_id uuid primary key,
  provider text not null,
  provider_event_id text not null,
  body bytea not null,
  received_at timestamptz not null default now(),
  traceparent text not null,
  applied_at timestamptz,
  tries integer not null default 0,
  due_at timestamptz,
  unique (provider, provider_event_id)
);
create index callback_due on callback (due_at) where due_at is not null;
