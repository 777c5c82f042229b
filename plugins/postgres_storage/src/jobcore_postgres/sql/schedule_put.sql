insert into public.cron_jobs as c (
    tenant, schedule_id, job_id, name, handler, pattern, interval_ms, timezone, payload, enabled, max_attempts, backoff_ms,
    missed, missed_limit, overlap, jitter_ms, runner_type, anchor, next_fire)
values (
    %(tenant)s, %(schedule_id)s, %(key)s, %(name)s, %(handler)s, %(pattern)s, %(interval_ms)s, %(timezone)s,
    %(payload)s::jsonb, %(enabled)s, %(max_attempts)s, %(backoff_ms)s, %(missed)s, %(missed_limit)s, %(overlap)s,
    %(jitter_ms)s, %(runner_type)s, %(anchor)s, %(next_fire)s)
on conflict (tenant, job_id) do update
set name = excluded.name,
    handler = excluded.handler,
    pattern = excluded.pattern,
    interval_ms = excluded.interval_ms,
    timezone = excluded.timezone,
    payload = excluded.payload,
    enabled = excluded.enabled,
    max_attempts = excluded.max_attempts,
    backoff_ms = excluded.backoff_ms,
    missed = excluded.missed,
    missed_limit = excluded.missed_limit,
    overlap = excluded.overlap,
    jitter_ms = excluded.jitter_ms,
    runner_type = excluded.runner_type,
    anchor = excluded.anchor,
    next_fire = excluded.next_fire,
    updated_at = now()
