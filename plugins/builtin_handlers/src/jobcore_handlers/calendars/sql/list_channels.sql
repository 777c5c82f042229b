-- Those that failed come last, so that they keep nobody waiting.
select c.provider_id, c.calendar_id, c.channel_id, c.resource_id, c.webhook_url, c.generation, c.stopped_through,
    coalesce(c.channel_id is not null and c.webhook_expires_at > now() + %(margin)s, false) as is_open
from billing.google_calendar_provider_config c
join billing.calendar_providers p on p.tenant = c.tenant and p.provider_id = c.provider_id
left join billing.calendar_provider_health h on h.tenant = c.tenant and h.provider_id = c.provider_id
where c.tenant = %(tenant)s and p.provider_type = 'google' and p.is_active
order by coalesce(h.consecutive_failure_count, 0), c.webhook_expires_at nulls first, c.provider_id
