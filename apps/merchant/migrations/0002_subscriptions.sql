-- How customers agree to renewals, and when they are reminded of an order that they have not paid.
alter table merchant
  add column renewal_consent text not null default 'switch' check (renewal_consent in ('switch', 'implicit')),
  add column renewal_consent_default boolean not null default false,
  -- ISO 8601 durations, growing.
  add column unpaid_order_reminders text[] not null default '{}' check (cardinality(unpaid_order_reminders) <= 5);

-- {"type": "AR", "period": "P1Y", "trial_period": "", "renewal_price": "snapshot"}; null when it does not renew.
alter table product
  add column subscription jsonb check (
    subscription ->> 'type' in ('AR', 'AR_TRIAL', 'PMR')
    and subscription ->> 'period' <> ''
    and (subscription ->> 'trial_period' = '' or subscription ->> 'type' = 'AR_TRIAL')
    and subscription ->> 'renewal_price' in ('snapshot', 'current')
  );
