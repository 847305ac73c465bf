-- Payments and callbacks that wait for a person: held for review, paid in part or too much, asked about for weeks, or about an unknown payment.
-- notice
select 'payment' as what, payment_id::text as id, review_reason as why from payment.payment where review_reason <> ''
union all
select 'intent', intent_id::text, status from payment.payment_intent where status in ('partially_paid', 'overpaid')
union all
select 'attempt', attempt_id::text, 'no answer' from payment.attempt a
where a.settled_at is null and a.due_at is null and a.state = 'unknown'
  and not exists (select from payment.timer t where t.machine = 'payment' and t.aggregate_id = a.payment_id::text)
union all
select 'callback', callback_id::text, 'cannot be applied' from payment.callback
where applied_at is null and due_at is null
