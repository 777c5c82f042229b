update billing.mail_outbox
set status = 'dead', claim = null, last_error = %(error)s
where (%(everybody)s or tenant = %(tenant)s)
    and status = 'sending' and next_attempt_at <= now() and attempts >= %(max_attempts)s
returning mail_id
