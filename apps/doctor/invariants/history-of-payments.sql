-- A payment's story goes forward only, and what has ended stays ended.
with step (type, place) as (values
  ('paymentCreated', 0), ('pageKnown', 1), ('outcomeUnknown', 1), ('paymentSeen', 2), ('paymentProcessing', 3), ('paymentConfirmed', 4),
  ('paymentBooked', 9), ('paymentFailed', 9), ('paymentExpired', 9), ('paymentWithdrawn', 9), ('paymentProcessingExpired', 8), ('paymentHeldForReview', 5)
), story as (
  select payment_id, version, type, place, lag(type) over w as before,
    max(case when place in (1, 5) then 0 else place end) over (w rows between unbounded preceding and 1 preceding) as reached
  from payment.payment_history left join step using (type) window w as (partition by payment_id order by version)
)
select payment_id, version, before, type from story
where place is null
  or (type = 'paymentCreated') <> (before is null)
  or reached = 9 and type <> 'paymentHeldForReview'
  or place not in (1, 5) and place <= reached
