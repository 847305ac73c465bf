-- What was paid with is one value of several kinds (packages/instrument), no longer a card in three columns.
alter table payment add column instrument jsonb;
update payment set instrument = jsonb_build_object('kind', 'card', 'details',
  jsonb_build_object('brand', card_type, 'last4', card_last_4, 'expiration', card_expiration))
where card_last_4 <> '';
-- Four characters of a number at most, and nowhere five digits in a row: what masks it is not trusted alone.
alter table payment add constraint payment_instrument check (instrument is null or (
  instrument ->> 'kind' in ('card', 'bank_account', 'wallet', 'crypto_address')
  and length(coalesce(instrument #>> '{details,last4}', '')) <= 4
  and coalesce(instrument #>> '{details,expiration}', '') ~ '^([0-9]{2}/[0-9]{4})?$'
  and instrument::text !~ '[0-9]{5}'));
alter table payment drop constraint payment_card_last_4_check, drop column card_type, drop column card_last_4, drop column card_expiration;

alter table instrument add column instrument jsonb;
update instrument set instrument = jsonb_build_object('kind', 'card', 'details',
  jsonb_build_object('brand', card_type, 'last4', card_last_4, 'expiration', card_expiration))
where card_last_4 <> '';
alter table instrument add constraint instrument_instrument check (instrument is null or (
  instrument ->> 'kind' in ('card', 'bank_account', 'wallet', 'crypto_address')
  and length(coalesce(instrument #>> '{details,last4}', '')) <= 4
  and coalesce(instrument #>> '{details,expiration}', '') ~ '^([0-9]{2}/[0-9]{4})?$'
  and instrument::text !~ '[0-9]{5}'));
alter table instrument drop constraint instrument_card_last_4_check, drop column card_type, drop column card_last_4, drop column card_expiration;
