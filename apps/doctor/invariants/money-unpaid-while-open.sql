-- A payment whose page nobody used any more has expired.
select payment_id, order_id, status, expires_at from payment.payment
where status in ('created', 'seen') and expires_at < merchant_now(merchant_id) - current_setting('doctor.grace')::interval - interval '5 minutes'
