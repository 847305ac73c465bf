-- A mail that is due is being sent, unless the mail server is known to be away.
select kind, status, count(*) as mails, min(due_at) as since from notification.mail
where status in ('pending', 'sending') and away_since is null
  and due_at < merchant_now(merchant_id) - current_setting('doctor.grace')::interval
  and (leased_until is null or leased_until < now() - current_setting('doctor.grace')::interval)
group by kind, status
