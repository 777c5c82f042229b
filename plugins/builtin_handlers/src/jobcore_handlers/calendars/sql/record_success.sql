insert into billing.calendar_provider_health (tenant, provider_id, status, last_success_at)
values (%(tenant)s, %(provider)s, 'healthy', now())
on conflict (tenant, provider_id) do update set
    status = 'healthy', consecutive_failure_count = 0, last_success_at = now(), last_error = null
