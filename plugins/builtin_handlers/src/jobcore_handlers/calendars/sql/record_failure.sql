insert into billing.calendar_provider_health as h (
    tenant, provider_id, status, consecutive_failure_count, last_failure_at, last_error, counted_job
)
values (%(tenant)s, %(provider)s, 'error', 1, now(), %(error)s, %(job)s)
on conflict (tenant, provider_id) do update set
    status = 'error',
    consecutive_failure_count =
        h.consecutive_failure_count + (h.status = 'healthy' or h.counted_job is distinct from %(job)s)::integer,
    last_failure_at = now(),
    last_error = excluded.last_error,
    counted_job = excluded.counted_job
returning consecutive_failure_count
