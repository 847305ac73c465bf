-- Answers to requests with an Idempotency-Key, so that a repeated request gets the same bytes and does nothing again.

create table answer (
  merchant_id uuid not null,
  -- As the merchant wrote it: 1 to 255 printable ASCII characters.
  idempotency_key text not null check (length(idempotency_key) between 1 and 255),
  -- A keyed hash of method, path and body: the same key with another request is refused.
  request_print bytea not null,
  -- Given to the services, for ever the same for this key: what they made for it they do not make again.
  request_id uuid not null,
  -- While somebody works on it. When this is over and there is no answer, the next request takes over.
  locked_until timestamptz not null,
  -- Counts the takeovers: who was overtaken can no longer write the answer.
  fence integer not null default 1,
  status integer check (status between 200 and 499),
  content_type text,
  -- Sealed: answers hold API keys and webhook secrets.
  body bytea,
  created_at timestamptz not null default now(),
  primary key (merchant_id, idempotency_key),
  check ((status is null) = (body is null) and (status is null) = (content_type is null))
);
create index answer_age on answer (created_at);
select secure('answer');
