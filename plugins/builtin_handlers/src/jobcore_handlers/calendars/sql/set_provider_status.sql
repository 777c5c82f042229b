update billing.calendar_providers
set status = %(status)s, error_message = %(error)s, updated_at = now()
where tenant = %(tenant)s and provider_id = %(provider)s
