-- One row per product that ever had codes or buyers. Whoever takes or adds codes locks it: takes of one product queue up
-- for the length of a commit, so that nobody sees a pool as empty that is merely being taken from, and a refill cannot
-- slip in between a look at the empty pool and the decision to wait.
create table pool (
  merchant_id uuid not null,
  product_id text not null,
  low_water_mark integer not null default 0 check (low_water_mark >= 0),
  available integer not null default 0 check (available >= 0),
  issued integer not null default 0 check (issued >= 0),
  -- The notice of this crossing has gone out; a refill to the mark or above arms it again.
  low_noticed boolean not null default false,
  version bigint not null default 0,
  primary key (merchant_id, product_id)
) with (fillfactor = 50);
select secure('pool');

-- Ids are drawn before the row is made, since the seal is bound to them.
create sequence pool_code_number;
create table pool_code (
  pool_code_id bigint primary key,
  merchant_id uuid not null,
  product_id text not null,
  sealed bytea not null,
  -- Blind index of the code: what the product ever had is known without being readable.
  fingerprint bytea not null,
  issued_at timestamptz,
  added_at timestamptz not null default now(),
  unique (merchant_id, product_id, fingerprint)
) with (fillfactor = 90);
create index pool_code_available on pool_code (merchant_id, product_id, pool_code_id) where issued_at is null;
select secure('pool_code');

-- The delivery machine: one row per order item.
create table delivery (
  item_id bigint primary key,
  merchant_id uuid not null,
  order_id bigint not null,
  product_id text not null,
  quantity integer not null check (quantity > 0),
  one_code_per text not null check (one_code_per in ('unit', 'product')),
  code_count integer not null check (code_count = case one_code_per when 'unit' then quantity else 1 end),
  status text not null check (status in ('waiting', 'delivered')),
  version bigint not null check (version > 0),
  -- By the merchant's clock; the trace ids lead to the command that did it.
  waiting_since timestamptz,
  waiting_trace text not null default '',
  delivered_at timestamptz,
  delivered_trace text not null default '',
  -- By the server's clock: the order in which a refill serves.
  created_at timestamptz not null default now(),
  check ((status = 'delivered') = (delivered_at is not null)),
  check (status <> 'waiting' or waiting_since is not null)
) with (fillfactor = 80);
create index delivery_order on delivery (merchant_id, order_id);
create index delivery_waiting on delivery (merchant_id, product_id, created_at, item_id) where status = 'waiting';
select secure('delivery');

create table licence (
  licence_id uuid primary key,
  merchant_id uuid not null,
  order_id bigint not null,
  item_id bigint not null references delivery,
  unit_no integer not null check (unit_no > 0),
  -- A code is issued once, to one unit.
  pool_code_id bigint not null unique references pool_code,
  issued_at timestamptz not null,
  unique (item_id, unit_no)
);
create index licence_order on licence (merchant_id, order_id, item_id, unit_no);
select secure('licence');
