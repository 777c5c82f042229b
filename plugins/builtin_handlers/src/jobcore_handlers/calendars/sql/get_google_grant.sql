select '' as directory, sealed_refresh_token
from billing.google_calendar_provider_config
where tenant = %(tenant)s and provider_id = %(provider)s
