update billing.google_calendar_provider_config
set stopped_through = %(through)s
where tenant = %(tenant)s and provider_id = %(provider)s and stopped_through = %(after)s
