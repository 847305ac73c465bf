-- The test clocks that this service knows (D15). A merchant without a row lives by the wall.
create table merchant_clock (
  merchant_id uuid primary key,
  sequence bigint not null,
  -- What it showed when it was set; it stands there, or runs on from there.
  at timestamptz not null,
  is_standing boolean not null,
  set_at timestamptz not null default clock_timestamp(),
  -- Grows with everything that this service says of the merchant: equal twice means that nothing was said in between.
  said bigint not null default 0
);

/** The merchant's time. */
create function merchant_now(merchant uuid) returns timestamptz language sql stable as $$
  select coalesce(
    (select case when is_standing then at else at + (clock_timestamp() - set_at) end from merchant_clock where merchant_id = merchant),
    now())
$$;

-- What is due of one merchant, for those whose clock is not the wall's.
create index timer_of_merchant on timer (merchant_id, due_at);
