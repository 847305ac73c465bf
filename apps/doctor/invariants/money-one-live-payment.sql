-- At most one online payment of an order may still end with money, and one of each offline method.
select order_id, is_offline, count(*) as live from payment.payment
where status in ('created', 'seen', 'processing', 'confirmed')
group by merchant_id, order_id, is_offline, case when is_offline then method end having count(*) > 1
