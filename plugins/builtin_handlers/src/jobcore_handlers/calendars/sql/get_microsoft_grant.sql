select directory, sealed_refresh_token
from billing.microsoft_calendar_provider_config
where tenant = %(tenant)s and provider_id = %(provider)s
