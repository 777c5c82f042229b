-- With `before`, only in its place: who connected the calendar anew meanwhile keeps that.
update billing.microsoft_calendar_provider_config
set sealed_refresh_token = %(sealed)s
where tenant = %(tenant)s and provider_id = %(provider)s
    and (%(before)s::bytea is null or sealed_refresh_token = %(before)s)
