-- Retention goes by ids, which are as old as their rows by the wall's clock; created_at is the merchant's time.
drop index event_created;

-- What is due of one merchant and what is due next: the time machine asks it again and again while it waits (D15).
create index delivery_due_of_merchant on delivery (merchant_id, due_at) where status = 'waiting';
