-- A merchant's clock that is being advanced comes to its end.
select advance_id, merchant_id, status, started_at, leased_until from merchant.clock_advance
where status in ('running', 'waiting') and leased_until < now() - current_setting('doctor.grace')::interval
