-- A call to the provider that is due is made: no attempt is overdue without somebody who holds it.
select attempt_id, payment_id, kind, state, tries, due_at, leased_until from payment.attempt
where settled_at is null and due_at < merchant_now(merchant_id) - current_setting('doctor.grace')::interval
  and (leased_until is null or leased_until < now() - current_setting('doctor.grace')::interval)
