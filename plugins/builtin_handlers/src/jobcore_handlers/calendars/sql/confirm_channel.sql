update billing.google_calendar_provider_config
set channel_id = %(channel)s, resource_id = %(resource)s, webhook_expires_at = %(expires_at)s, webhook_url = %(address)s
where tenant = %(tenant)s and provider_id = %(provider)s and generation = %(generation)s
returning provider_id
