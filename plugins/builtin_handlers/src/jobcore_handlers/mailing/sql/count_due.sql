select count(*) as count
from billing.mail_outbox
where (%(everybody)s or tenant = %(tenant)s) and status in ('pending', 'sending') and next_attempt_at <= now()
