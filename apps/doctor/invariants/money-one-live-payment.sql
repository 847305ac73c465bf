-- At most one payment of an order may still end with money.
select order_id, count(*) as live from payment.payment
where status in ('created', 'seen', 'processing', 'confirmed')
group by merchant_id, order_id having count(*) > 1
