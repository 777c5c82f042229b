update billing.mail_outbox
set status = %(status)s, claim = null, attempts = %(attempts)s, next_attempt_at = now() + %(wait)s,
    last_error = %(error)s
where tenant = %(tenant)s and mail_id = %(mail)s and claim = %(claim)s
