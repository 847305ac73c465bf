-- Mails about subscriptions and unpaid orders, and mails of merchants whose clock is not the wall's (D15).

alter table mail drop constraint mail_kind_check;
alter table mail add constraint mail_kind_check check (kind in (
  'payment_confirmed', 'licence', 'pool_low', 'renewal_notice', 'renewal_failed', 'renewal_order',
  'subscription_cancelled', 'subscription_restored', 'subscription_expired', 'order_reminder'));

-- What only the event knew: sums as text, dates, numbers. No personal data (src/domain/facts.ts).
alter table mail add column facts jsonb;
alter table mail add constraint mail_facts_check check (
  case when kind in ('payment_confirmed', 'licence', 'pool_low') then facts is null else coalesce(facts ->> 'kind' = kind, false) end);

-- due_at is a time of the merchant, a lease one of the wall: nobody may take it before then, whatever the merchant's clock
-- shows. A pause after an outage is kept in it too, for an outage is the host's and not the merchant's.
alter table mail add column leased_until timestamptz;
-- By the wall, since when the mail server or a service that knows the content has been away.
alter table mail add column away_since timestamptz;
comment on column mail.due_at is 'When it is tried next, by the merchant''s clock.';

-- What is due of one merchant, for those whose clock is not the wall's, and for the time machine.
create index mail_of_merchant on mail (merchant_id, due_at) where status in ('pending', 'sending');
