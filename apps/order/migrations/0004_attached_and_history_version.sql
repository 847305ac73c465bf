-- What checkout links attach to the cart, until it becomes an order: see src/domain/attached.ts for the limits.
alter table cart
  add column external_id text not null default '' check (length(external_id) <= 255),
  -- [{"name": "referer", "value": "spring"}]
  add column additional_data jsonb not null default '[]' check (jsonb_array_length(additional_data) <= 20);

-- Few orders have an external id; the others cost this index nothing.
create index order_by_external_id on purchase_order (merchant_id, external_id, order_id) where external_id <> '';

-- In which form an event is stored. A process of the version before writes no value, which means 1.
alter table order_history
  add column schema_version integer default 1 check (schema_version >= 1);
