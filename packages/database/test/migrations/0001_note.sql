create table note (
  id bigint generated always as identity primary key,
  merchant_id uuid not null,
  text text not null,
  amount_minor bigint not null default 0,
  numbers bigint[] not null default '{}',
  at timestamptz not null default now()
);
select secure('note');
create table no_secret (id int primary key);
