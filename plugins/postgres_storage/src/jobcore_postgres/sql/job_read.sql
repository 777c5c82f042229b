select
    tenant, job_id, type, status::text as status, coalesce(metadata, '{}') as metadata, created_at, updated_at, user_id,
    runner_type, external_id, external_run_id, payload, result, coalesce(run_at, created_at) as run_at, started_at,
    completed_at, attempt, max_attempts, rescues, coalesce(queue, type) as queue, priority, progress, progress_message,
    error, dedupe_key, singleton_key, cancel_requested, schedule_id, fire_time, parent_job_id, epoch
from public.jobs
where tenant = %(tenant)s and job_id = %(job_id)s
