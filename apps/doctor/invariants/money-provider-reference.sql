-- What the provider knows as one payment is one payment here.
select provider, provider_payment_id, count(*) as payments from payment.payment
where provider_payment_id <> '' group by 1, 2 having count(*) > 1
