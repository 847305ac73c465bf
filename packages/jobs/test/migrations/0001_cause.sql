-- What causes jobs in these tests.
create table cause (
  id uuid primary key,
  merchant_id uuid not null
);
select secure('cause');
