-- Each term is charged at most once by us.
select subscription_id, term, count(*) as booked from payment.payment
where subscription_id is not null and status = 'booked' group by merchant_id, subscription_id, term having count(*) > 1
