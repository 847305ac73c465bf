-- The way in which an item is delivered (src/domain/delivery). All deliveries so far come from a pool.
alter table delivery
  add column method text not null default 'pool' check (method in ('pool'));
