-- At most one payment of an order may still end with money, or has: a click that was under way while another payment was
-- booked opens no second page. What was booked twice before this stands, and a person looks at it.
update payment set review_reason = 'paid_after_final'
where status = 'booked' and review_reason = '' and exists (
  select from payment first
  where first.merchant_id = payment.merchant_id and first.order_id = payment.order_id and first.status = 'booked'
    and first.payment_id < payment.payment_id);
drop index payment_live;
create unique index payment_live on payment (merchant_id, order_id)
  where status in ('created', 'seen', 'processing', 'confirmed') or (status = 'booked' and review_reason = '');
