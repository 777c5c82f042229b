update billing.mail_outbox
set status = 'sent', claim = null, sent_at = now(), last_error = null
where tenant = %(tenant)s and mail_id = %(mail)s and claim = %(claim)s
