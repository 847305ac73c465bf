-- What an account at a provider knows as one payment is one payment here.
select provider, coalesce(account_id, merchant_id) as account_id, provider_payment_id, count(*) as payments from payment.payment
where provider_payment_id <> '' group by 1, 2, 3 having count(*) > 1
