select tenant, schedule_id, job_id as key, name, handler, pattern, interval_ms, timezone, payload::text as payload, enabled,
    max_attempts, backoff_ms, missed, missed_limit, overlap, jitter_ms, runner_type, anchor, next_fire, last_fire, last_job_id
from public.cron_jobs
where tenant = %(tenant)s and job_id = %(key)s
