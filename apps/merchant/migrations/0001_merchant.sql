create table account (
  account_id uuid primary key,
  name text not null unique check (length(name) between 1 and 200),
  created_at timestamptz not null default now()
);

-- A tenant: an account has one for test mode and one for live mode.
create table merchant (
  merchant_id uuid primary key,
  account_id uuid not null references account,
  livemode boolean not null,
  shop_name text not null check (length(shop_name) between 1 and 200),
  time_zone text not null default 'UTC',
  locale text not null default 'en',
  currencies text[] not null default '{EUR,USD}' check (cardinality(currencies) between 1 and 50),
  support_email text not null default '',
  support_url text not null default '',
  terms_url text not null default '',
  privacy_url text not null default '',
  commission_bp integer not null default 0 check (commission_bp between 0 and 10000),
  created_at timestamptz not null default now(),
  unique (account_id, livemode)
);
select secure('merchant');

create table api_key (
  api_key_id uuid primary key,
  merchant_id uuid not null references merchant,
  -- The eight characters after the prefix: finds the row without a secret.
  handle text not null unique,
  digest bytea not null,
  name text not null,
  hint text not null,
  scopes text[] not null,
  request_id uuid,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz,
  unique (merchant_id, request_id)
);
create index api_key_of_merchant on api_key (merchant_id, api_key_id);
select secure('api_key');

create sequence product_number start 100001;

create table product (
  product_id bigint primary key,
  merchant_id uuid not null references merchant,
  livemode boolean not null,
  name text not null check (length(name) between 1 and 255),
  family_name text not null,
  description text not null,
  image_url text not null,
  vendor_code text not null,
  sku text not null,
  business_segment text not null check (business_segment in ('b2c', 'b2b')),
  -- [{"currency": "EUR", "amount_minor": "10000"}]
  prices jsonb not null check (jsonb_array_length(prices) between 1 and 20),
  min_quantity integer not null check (min_quantity between 1 and 10000),
  published boolean not null,
  archived boolean not null default false,
  delivery jsonb not null,
  metadata jsonb not null,
  request_id uuid,
  created_at timestamptz not null default now(),
  unique (merchant_id, request_id)
);
create index product_of_merchant on product (merchant_id, product_id);
select secure('product');
