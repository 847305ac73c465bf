-- What an upload that came with a request id has added: the same request again adds nothing, and is told the same.
create table upload (
  merchant_id uuid not null,
  request_id uuid not null,
  product_id text not null,
  -- Known when the upload is committed.
  added integer not null default 0 check (added >= 0),
  uploaded_at timestamptz not null,
  primary key (merchant_id, request_id)
);
select secure('upload');
