-- A carrier on Postgres: one log with topics, partitions and keys, and the offsets of consumer groups.

create table topic (
  name text primary key,
  partitions integer not null check (partitions > 0)
);

-- The next offset of each partition. Publishing locks these rows in order, so offsets are gapless and visible in order.
create table partition_head (
  topic text not null references topic,
  partition integer not null,
  next_offset bigint not null default 0,
  primary key (topic, partition)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);

create table log (
  topic text not null,
  partition integer not null,
  "offset" bigint not null,
  key text not null,
  value bytea not null,
  headers jsonb not null,
  created_at timestamptz not null default now(),
  primary key (topic, partition, "offset")
);
create index log_age on log (created_at);

-- Who of a group may read a partition, until when, and how far the group is. The epoch grows with each change of owner:
-- a commit by an old owner changes nothing.
create table group_offset (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  next_offset bigint not null default 0,
  owner uuid,
  epoch bigint not null default 0,
  leased_until timestamptz,
  primary key (consumer_group, topic, partition)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);

create table group_member (
  consumer_group text not null,
  member uuid not null,
  topics text[] not null,
  seen_at timestamptz not null default now(),
  primary key (consumer_group, member)
);
