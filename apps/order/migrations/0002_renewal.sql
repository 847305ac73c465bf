-- A child order pays one term of one subscription, and no term has two.
alter table purchase_order
  add column subscription_id text,
  add column term integer,
  add check ((subscription_id is null) = (term is null)),
  add check (term > 1);
create unique index child_of_term on purchase_order (subscription_id, term) where subscription_id is not null;
