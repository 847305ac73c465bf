create sequence order_number start 1000001;
create sequence item_number start 1;

create table cart (
  -- A capability: whoever has it, has the cart.
  cart_id text primary key check (cart_id ~ '^[0-9a-f]{32}$'),
  merchant_id uuid not null,
  livemode boolean not null,
  currency text not null,
  locale text not null,
  -- [{"product_id": "100001", "quantity": 1}]
  lines jsonb not null check (jsonb_array_length(lines) <= 100),
  version integer not null default 1,
  order_id bigint unique,
  order_token text,
  touched_at timestamptz not null default now()
) with (fillfactor = 80);
create index cart_age on cart (touched_at);
select secure('cart');

create table purchase_order (
  order_id bigint primary key,
  merchant_id uuid not null,
  livemode boolean not null,
  status text not null check (status in ('not paid', 'paid', 'deleted')),
  fulfilment_status text not null check (fulfilment_status in ('not delivered', 'delivered')),
  version bigint not null,
  token text not null,
  -- What was agreed on: a snapshot that nothing changes.
  placed jsonb not null,
  customer_email text not null,
  external_id text not null,
  paid_at timestamptz,
  created_at timestamptz not null,
  check (status <> 'paid' or paid_at is not null),
  check (fulfilment_status = 'not delivered' or status <> 'not paid')
) with (fillfactor = 80);
create index order_of_merchant on purchase_order (merchant_id, order_id);
create index order_by_email on purchase_order (merchant_id, customer_email, order_id);
select secure('purchase_order');

-- What happened, one row per version: the timeline, and the order as it was at any of its events.
create table order_history (
  order_id bigint not null references purchase_order,
  version bigint not null,
  merchant_id uuid not null,
  type text not null,
  at timestamptz not null,
  trace_id text not null,
  -- The event without what was placed.
  data jsonb not null,
  primary key (order_id, version)
);
select secure('order_history');
