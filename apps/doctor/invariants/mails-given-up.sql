-- Mails that were given up, and mails that wait for a mail server that is away.
-- notice
select kind, status, reason, count(*) as mails, min(created_at) as since from notification.mail
where status = 'failed_permanently' or (status in ('pending', 'sending') and away_since < now() - current_setting('doctor.grace')::interval)
group by kind, status, reason
