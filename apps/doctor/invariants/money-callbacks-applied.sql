-- Every callback that was kept is applied, or waits for its next try.
select callback_id, provider, received_at, tries, due_at from payment.callback
where applied_at is null and received_at < now() - current_setting('doctor.grace')::interval
  and due_at < now() - current_setting('doctor.grace')::interval
