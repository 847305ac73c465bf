-- What customers let us keep and charge again. The provider's token is worth nothing without the provider's secret, and it
-- leaves this schema towards the provider only: no event, log line or rpc has it.
create table instrument (
  instrument_id uuid primary key,
  merchant_id uuid not null,
  livemode boolean not null,
  method text not null,
  provider text not null,
  provider_token text not null check (provider_token <> ''),
  card_type text not null,
  card_last_4 text not null check (length(card_last_4) <= 4),
  card_expiration text not null,
  created_at timestamptz not null
);
select secure('instrument');

alter table payment
  -- The id under which the instrument is kept once this has paid.
  add column saves_instrument_id uuid,
  -- What was kept by it, or is charged by it.
  add column instrument_id uuid references instrument,
  add column is_off_session boolean not null default false,
  -- Which renewal it pays.
  add column subscription_id text,
  add column term integer,
  add column slot integer,
  -- Nobody is shown a page: it does not expire.
  alter column expires_at drop not null,
  drop constraint payment_amount_minor_check,
  -- Nothing is charged only to keep an instrument.
  add constraint payment_amount check (amount_minor > 0 or (amount_minor = 0 and saves_instrument_id is not null)),
  add constraint payment_renewal check (
    is_off_session = (subscription_id is not null) and is_off_session = (term is not null) and is_off_session = (slot is not null)
    and is_off_session = (expires_at is null));
-- A slot of a term is charged once, for ever.
create unique index payment_of_slot on payment (merchant_id, subscription_id, term, slot) where subscription_id is not null;

alter table attempt
  drop constraint attempt_kind_check,
  add constraint attempt_kind_check check (kind in ('create', 'charge')),
  drop constraint attempt_state_check,
  add constraint attempt_state_check check (state in ('intended', 'sent', 'open', 'succeeded', 'declined', 'unknown')),
  -- By the merchant's clock.
  alter column created_at drop default;
-- A hundred thousand renewals that are due do not stand before a customer who waits for a page.
drop index attempt_due;
create index attempt_due on attempt (kind, due_at) where due_at is not null;
create index attempt_due_of_merchant on attempt (merchant_id, due_at) where due_at is not null;
create index attempt_unsettled on attempt (merchant_id) where due_at is null and settled_at is null;

alter table callback add column reference uuid;
create index callback_open on callback (reference) where applied_at is null;
