update billing.microsoft_calendar_provider_config
set generation = generation + 1,
    client_state = format('%%s.%%s.%%s', provider_id, generation + 1, %(secret)s::text)
where tenant = %(tenant)s and provider_id = %(provider)s and generation = %(generation)s
returning provider_id, resource, subscription_id, client_state, generation, confirmed_generation
