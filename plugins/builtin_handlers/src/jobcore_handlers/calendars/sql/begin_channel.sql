-- The token is the same for all of a provider's channels: the old one serves until the new one is confirmed.
update billing.google_calendar_provider_config
set generation = generation + 1, channel_token = coalesce(channel_token, %(channel_token)s)
where tenant = %(tenant)s and provider_id = %(provider)s and generation = %(generation)s
returning channel_token
