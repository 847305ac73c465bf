create table jar (
  id uuid primary key,
  merchant_id uuid not null,
  status text not null,
  coins bigint not null,
  version integer not null
);
select secure('jar');

-- What a consumer without a machine keeps: one row per effect, so that a doubled effect shows.
create table effect (
  id bigint generated always as identity primary key,
  key text not null,
  text text not null
);
