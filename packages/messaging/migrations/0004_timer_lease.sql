-- Who takes timers up notes it here and leaves the timers alone: a table of millions is read at its due end and nowhere
-- written to, so that fetching costs the same however many wait (bench/timers.ts).
create table timer_lease (
  timer_id uuid primary key,
  leased_until timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);
alter table timer drop column leased_until;
