update billing.microsoft_calendar_provider_config
set subscription_id = %(subscription)s, webhook_expires_at = %(expires_at)s, confirmed_generation = generation
where tenant = %(tenant)s and provider_id = %(provider)s and generation = %(generation)s
returning provider_id
