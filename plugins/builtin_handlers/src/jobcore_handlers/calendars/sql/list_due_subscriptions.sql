-- Those that failed come last, so that they keep nobody waiting.
select c.provider_id, c.resource, c.subscription_id, c.client_state, c.generation, c.confirmed_generation
from billing.microsoft_calendar_provider_config c
join billing.calendar_providers p on p.tenant = c.tenant and p.provider_id = c.provider_id
left join billing.calendar_provider_health h on h.tenant = c.tenant and h.provider_id = c.provider_id
where c.tenant = %(tenant)s
    and p.provider_type = 'microsoft'
    and p.is_active
    and (
        c.subscription_id is null
        or c.webhook_expires_at is null
        or c.webhook_expires_at <= now() + %(look_ahead)s
        or c.confirmed_generation < c.generation
    )
order by coalesce(h.consecutive_failure_count, 0), c.webhook_expires_at nulls first, c.provider_id
