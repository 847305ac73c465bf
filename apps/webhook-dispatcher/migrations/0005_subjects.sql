-- An event is about something: an order, a payment, … Until now every event was about an order. These columns are added at once,
-- however many rows there are; the next file fills them.
alter table event add column subject_kind text;
alter table event add column subject_id text;
-- What the body is written in. An event that has a document in each profile has a row in each.
alter table event add column payload_profile text not null default 'seed' check (payload_profile in ('seed', 'standard'));
-- The order that the subject belongs to; null when there is none.
alter table event alter column order_id drop not null;

alter table delivery add column subject_kind text;
alter table delivery add column subject_id text;
alter table delivery alter column order_id drop not null;

-- Chosen when the endpoint is made, for good.
alter table endpoint add column payload_profile text not null default 'seed' check (payload_profile in ('seed', 'standard'));
