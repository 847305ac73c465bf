-- The subscription machine: one row per parent order item that renews.
create table subscription (
  -- {parent order id}_{parent order item id} (D4)
  subscription_id text primary key check (subscription_id = parent_order_id || '_' || parent_item_id),
  merchant_id uuid not null,
  livemode boolean not null,
  status text not null check (status in ('not paid', 'active', 'cancelled')),
  version bigint not null check (version > 0),
  -- What was agreed on: nothing changes it.
  parent_order_id bigint not null,
  parent_item_id bigint not null,
  product_id text not null,
  product_name text not null,
  quantity integer not null check (quantity > 0),
  type text not null check (type in ('AR', 'AR_TRIAL', 'PMR')),
  period text not null,
  trial_period text not null check ((trial_period <> '') = (type = 'AR_TRIAL')),
  time_zone text not null,
  currency text not null,
  renewal_price text not null check (renewal_price in ('snapshot', 'current')),
  renewal_price_minor bigint not null check (renewal_price_minor >= 0),
  started_at timestamptz not null,
  -- The running term, and the order that paid it.
  term integer not null check (term > 0),
  anchor_on text not null check (anchor_on ~ '^\d{4}-\d\d-\d\d$'),
  periods integer not null check (periods >= 0),
  expires_at timestamptz not null,
  next_charge_at timestamptz not null,
  last_order_id bigint not null,
  last_item_id bigint not null,
  instrument_id text not null,
  -- The next term: what it costs per unit, and how far it is.
  price_minor bigint not null check (price_minor >= 0),
  step text not null check (step in ('planned', 'asked', 'open', 'gone')),
  open_order_id bigint check ((open_order_id is not null) = (step = 'open')),
  open_item_id bigint check ((open_item_id is not null) = (step = 'open')),
  open_amount_minor bigint check ((open_amount_minor is not null) = (step = 'open')),
  last_slot integer not null check (last_slot between -1 and 2 and (last_slot = -1 or step = 'open')),
  charging_since timestamptz check (charging_since is null or (step = 'open' and last_slot >= 0)),
  -- What is planned; its timers say the same.
  notice_at timestamptz,
  charge_at timestamptz check (charge_at is null or (status <> 'cancelled' and charging_since is null)),
  is_expired boolean not null,
  cancelled_at timestamptz check ((cancelled_at is not null) = (status = 'cancelled')),
  cancelled_by text check (cancelled_by in ('customer', 'merchant', 'refund')),
  check ((cancelled_by is null) = (cancelled_at is null)),
  check (status <> 'active' or step in ('planned', 'asked')),
  check (status <> 'not paid' or step in ('open', 'gone'))
) with (fillfactor = 70);
create index subscription_of_merchant on subscription (merchant_id, parent_order_id, parent_item_id);
create index subscription_by_status on subscription (merchant_id, status, parent_order_id, parent_item_id);
select secure('subscription');

-- Which orders pay its terms: the parent, and every child.
create table subscription_order (
  order_id bigint not null,
  subscription_id text not null references subscription,
  merchant_id uuid not null,
  term integer not null check (term > 0),
  primary key (order_id, subscription_id),
  -- No term has two orders.
  unique (subscription_id, term)
);
select secure('subscription_order');

-- What happened, one row per version: the timeline.
create table subscription_history (
  subscription_id text not null references subscription,
  version bigint not null,
  merchant_id uuid not null,
  -- The term that it is about: on the way to being paid, or begun.
  term integer not null,
  type text not null,
  at timestamptz not null,
  trace_id text not null,
  -- Those of the event's own that its sentence names.
  data jsonb not null,
  primary key (subscription_id, version)
);
select secure('subscription_history');
