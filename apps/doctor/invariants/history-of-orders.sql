-- An order's story goes forward only: created, then paid once, then delivered; what is deleted stays deleted.
with story as (
  select order_id, version, type,
    lag(type) over w as before,
    count(*) filter (where type = 'orderPaid') over w as paid,
    count(*) filter (where type = 'orderDeleted') over w as deleted,
    count(*) filter (where type = 'orderDelivered') over w as delivered
  from "order".order_history window w as (partition by order_id order by version)
)
select order_id, version, before, type from story
where (type = 'orderCreated') <> (before is null)
  or type in ('orderItemDelivered', 'orderDelivered', 'orderPaidAgain', 'orderLicencesAsked', 'orderSubscriptionCancelled', 'orderSubscriptionRestored') and paid = 0
  or type in ('orderPaymentFailed', 'orderReminderDue') and paid > 0
  or type = 'orderDeleted' and (paid > 0 or deleted > 1)
  or type = 'orderPaid' and (paid > 1 or deleted > 0)
  or type = 'orderPaidLate' and deleted = 0
  or type = 'orderDelivered' and (before <> 'orderItemDelivered' or delivered > 1)
  or type = 'orderItemDelivered' and delivered > 0
