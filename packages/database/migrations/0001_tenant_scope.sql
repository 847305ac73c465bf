-- Puts a table with a merchant_id under row-level security: a transaction sees the merchants it named with BEGIN, and
-- nothing when it named none. FORCE makes it hold for the owner too.
create function secure(guarded regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', guarded);
  execute format('alter table %s force row level security', guarded);
  execute format(
    'create policy tenant on %s using ('
    'merchant_id = any (nullif(current_setting(''tillstream.merchants'', true), '''')::uuid[])'
    ' or current_setting(''tillstream.every_merchant'', true) = ''on'')',
    guarded
  );
end $$;
