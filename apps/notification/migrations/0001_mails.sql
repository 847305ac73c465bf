-- One row per message that has to go out. Written in the transaction of nothing else: the unique key below is what makes
-- a redelivered event harmless. Neither an address nor a licence code is kept here; both are asked for when the mail is sent.
create table mail (
  id uuid primary key,
  merchant_id uuid not null,
  kind text not null check (kind in ('payment_confirmed', 'licence', 'pool_low')),
  -- What the mail is about, as text: the order, the order and its item, or the event of a low pool.
  about text not null,
  order_id bigint,
  item_id bigint,
  product_id text,
  available integer,
  low_water_mark integer,
  status text not null default 'pending' check (status in ('pending', 'sending', 'sent', 'not_wanted', 'failed_permanently')),
  -- When it may be taken: the next try, or the end of the lease of who is sending it.
  due_at timestamptz not null default now(),
  -- Who sends it; an answer of an earlier holder changes nothing.
  lease uuid,
  attempts integer not null default 0,
  -- Why the last try did not work, in one word of ours. Never the server's words: they quote addresses.
  reason text not null default '',
  traceparent text not null,
  -- By the merchant's clock, for the timeline.
  created_at timestamptz not null,
  sent_at timestamptz,
  -- By the database's clock, for giving up.
  queued_at timestamptz not null default now(),
  unique (merchant_id, kind, about),
  check ((status = 'sent') = (sent_at is not null)),
  check (kind = 'pool_low' or order_id is not null),
  check (kind <> 'licence' or item_id is not null)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01);
-- The worker reads these only; a mail that is done leaves the index.
create index mail_due on mail (due_at, id) where status in ('pending', 'sending');
create index mail_order on mail (merchant_id, order_id, id);
select secure('mail');
