-- What an order asks for, one per order; a payment is one attempt to pay it. Also the row that every change of one of its
-- attempts locks first, so that which attempt pays is decided by one transaction.
create table payment_intent (
  -- Of the receipts, and of what later names an intent to others.
  intent_id uuid primary key,
  merchant_id uuid not null,
  order_id bigint not null,
  amount_minor bigint not null check (amount_minor >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  received_minor bigint not null,
  status text not null,
  -- Ever begun.
  attempts integer not null check (attempts > 0),
  created_at timestamptz not null,
  unique (merchant_id, order_id),
  -- An intent over 0 is unpaid until its instrument is verified.
  constraint payment_intent_status check (
    (status = 'unpaid' and received_minor = 0)
    or (status = 'partially_paid' and received_minor > 0 and received_minor < amount_minor)
    or (status = 'paid' and received_minor = amount_minor)
    or (status = 'overpaid' and received_minor > amount_minor))
) with (fillfactor = 85);
select secure('payment_intent');

-- Money that came, once per attempt however often its provider reports it.
create table receipt (
  receipt_id uuid primary key,
  intent_id uuid not null references payment_intent,
  payment_id uuid not null unique references payment,
  merchant_id uuid not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- counted and surplus are received sums of the intent; the others are held for review.
  taken_for text not null check (taken_for in ('counted', 'surplus', 'other_sum', 'other_currency', 'late')),
  received_at timestamptz not null
);
create index receipt_of_intent on receipt (intent_id);
select secure('receipt');

-- The payments of an order were all over its total, and at most one of them was booked without a person's review.
insert into payment_intent (intent_id, merchant_id, order_id, amount_minor, currency, received_minor, status, attempts, created_at)
select gen_random_uuid(), merchant_id, order_id, amount_minor, currency, received_minor,
  case
    when not is_booked then 'unpaid'
    when received_minor = amount_minor then 'paid'
    when received_minor > amount_minor then 'overpaid'
    else 'partially_paid'
  end, attempts, created_at
from (
  select merchant_id, order_id, max(amount_minor) as amount_minor, max(currency) as currency, bool_or(status = 'booked') as is_booked,
    coalesce(sum(amount_minor) filter (where status = 'booked'), 0)::bigint as received_minor, count(*)::int as attempts, min(created_at) as created_at
  from payment group by merchant_id, order_id) as orders;

-- Of what was held for review the reported sum was not kept: it has no receipt.
insert into receipt (receipt_id, intent_id, payment_id, merchant_id, amount_minor, currency, taken_for, received_at)
select gen_random_uuid(), i.intent_id, p.payment_id, p.merchant_id, p.amount_minor, p.currency,
  case when p.review_reason = '' then 'counted' else 'surplus' end, coalesce(p.finalised_at, p.created_at)
from payment p join payment_intent i on i.merchant_id = p.merchant_id and i.order_id = p.order_id
where p.status = 'booked' and p.amount_minor > 0;

alter table payment
  -- Its method is offline (domain/methods.ts): the payment may take days.
  add column is_offline boolean not null default false,
  add constraint payment_intent_of_order foreign key (merchant_id, order_id) references payment_intent (merchant_id, order_id);
update payment set is_offline = true where method = 'BankTransfer';

-- While an offline attempt waits, another may be begun: at most one online attempt of an order may still end with money, and
-- one of each offline method. That nothing is begun for a paid intent is decided under the intent's lock.
drop index payment_live;
create unique index payment_live on payment (merchant_id, order_id)
  where not is_offline and status in ('created', 'seen', 'processing', 'confirmed');
create unique index payment_waiting on payment (merchant_id, order_id, method)
  where is_offline and status in ('created', 'seen', 'processing', 'confirmed');
