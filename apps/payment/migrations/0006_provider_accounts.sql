-- Accounts of merchants at payment providers: with which credentials, in which order they are tried, and how they fare.
create table provider_account (
  account_id uuid primary key,
  merchant_id uuid not null,
  livemode boolean not null,
  provider text not null check (provider ~ '^[a-z][a-z0-9_]{0,31}$'),
  -- By the vault; the context is the merchant's id and the account's.
  credentials bytea not null,
  settings jsonb not null,
  state text not null check (state in ('active', 'disabled')),
  -- Routing takes the first that offers what is wanted.
  position integer not null,
  created_at timestamptz not null default now(),
  -- How the provider fares, by the wall's clock; written every few seconds at most, never for a single call.
  last_success_at timestamptz,
  last_failure_at timestamptz,
  consecutive_failures integer not null default 0 check (consecutive_failures >= 0),
  -- Test money never pays a live order.
  check (provider <> 'sandbox' or not livemode)
);
create index provider_account_of_merchant on provider_account (merchant_id, position);
select secure('provider_account');

-- No foreign keys: each payment would lock its account's row, which is the same for all of a merchant. Accounts are never deleted.
-- Nullable, because the version before writes rows without it while both run; null reads as the shared account.
alter table payment add column account_id uuid;
alter table instrument add column account_id uuid;
-- Until now all merchants shared the sandbox's credentials; the id of that account is the merchant's (domain/provider-account.ts).
update payment set account_id = merchant_id;
update instrument set account_id = merchant_id;

-- A provider's event is known by the account that it came to. The nil id is the address that the shared accounts have in common.
alter table callback add column account_id uuid not null default '00000000-0000-0000-0000-000000000000';
-- A process of the version before that keeps a callback without applying it fails from here on, and the provider tells it again.
alter table callback drop constraint callback_provider_provider_event_id_key;
create unique index callback_of_account on callback (account_id, provider_event_id);
