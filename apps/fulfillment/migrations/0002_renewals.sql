-- A renewal's delivery knows whose licences came before (R32): the item of the parent order, and that of the term before.
alter table delivery
  add column first_item_id bigint not null default 0 check (first_item_id >= 0),
  add column previous_item_id bigint not null default 0 check (previous_item_id >= 0),
  add check ((first_item_id = 0) = (previous_item_id = 0));
