-- A claim that has lapsed is that of a worker that died. The last attempt's fate stays unknown: that mail is dead.
with due as (
    select tenant, mail_id
    from billing.mail_outbox
    where (%(everybody)s or tenant = %(tenant)s)
        and status in ('pending', 'sending') and next_attempt_at <= now() and attempts < %(max_attempts)s
    order by next_attempt_at
    limit %(batch)s
    for update skip locked
)
update billing.mail_outbox as m
set status = 'sending', claim = %(claim)s, attempts = m.attempts + 1, next_attempt_at = now() + %(lease)s
from due
where m.tenant = due.tenant and m.mail_id = due.mail_id
returning m.tenant, m.mail_id, m.attempts, m.to_address, m.to_name, m.subject, m.text_body, m.html_body
