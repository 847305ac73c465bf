-- Sending a mail is a job: its state, its tries and when it is due stand there. The row of a mail keeps what the mail is.
-- Every mail gets its job, also one that was sent: the job's unique key says that it is asked for once.
insert into job (job_id, merchant_id, kind, subject, once_key, destination, state, due_at, leased_until, tries, reason, traceparent, created_at, settled_at, age_from, queued_at)
select id, merchant_id, 'send_mail', kind || ' ' || about, kind || ' ' || about, 'mail_server',
  case status when 'sent' then 'done' when 'not_wanted' then 'not_wanted' when 'failed_permanently' then 'dead' else 'pending' end,
  case when status in ('pending', 'sending') then due_at end,
  case when status in ('pending', 'sending') then leased_until end,
  attempts, reason, traceparent, created_at,
  case when status in ('pending', 'sending') then null else coalesce(sent_at, due_at) end,
  created_at, queued_at
from mail;

drop index mail_due;
drop index mail_of_merchant;
alter table mail drop constraint mail_merchant_id_kind_about_key;
alter table mail drop constraint mail_check;
alter table mail drop constraint mail_status_check;
alter table mail drop column status, drop column due_at, drop column leased_until, drop column away_since, drop column lease,
  drop column attempts, drop column reason, drop column traceparent, drop column created_at, drop column sent_at, drop column queued_at;
comment on column mail.id is 'Also the id of the job that sends it.';
