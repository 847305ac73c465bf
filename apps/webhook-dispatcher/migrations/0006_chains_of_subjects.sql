-- Fills what 0005 added. Rows are locked meanwhile and not the tables: events can be read, and new ones stored.
update event set subject_kind = 'order', subject_id = order_id::text where subject_id is null;
update delivery set subject_kind = 'order', subject_id = order_id::text where subject_id is null;

-- The chain is (endpoint, subject), in order of position; only its first waiting delivery is sent. The new indexes are built while
-- the old ones are still there.
create index delivery_chain_of_subject on delivery (endpoint_id, subject_kind, subject_id, position);
create index delivery_waiting_of_subject on delivery (endpoint_id, subject_kind, subject_id, position) where status = 'waiting';

-- The tables are locked from here to the end, for the time of one look at each.
alter table event alter column subject_kind set not null;
alter table event alter column subject_id set not null;
alter table delivery alter column subject_kind set not null;
alter table delivery alter column subject_id set not null;
drop index delivery_chain;
drop index delivery_waiting;
