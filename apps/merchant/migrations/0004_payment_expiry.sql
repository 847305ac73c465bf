-- How long a customer has to begin to pay on the provider's page, in minutes (domain/settings.ts has the reasons of the bounds).
alter table merchant
  add column payment_expiry_minutes integer not null default 30 check (payment_expiry_minutes between 5 and 1440);
