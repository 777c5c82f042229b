drop index public.jobs_by_parent, public.jobs_fires, public.jobs_held_keys, public.jobs_by_tenant;

alter table public.jobs reset (fillfactor);

alter table public.jobs
    drop column payload,
    drop column result,
    drop column queue,
    drop column priority,
    drop column run_at,
    drop column started_at,
    drop column completed_at,
    drop column attempt,
    drop column max_attempts,
    drop column allowed_attempts,
    drop column rescues,
    drop column progress,
    drop column progress_message,
    drop column error,
    drop column dedupe_key,
    drop column held_key,
    drop column singleton_key,
    drop column cancel_requested,
    drop column lease_token,
    drop column worker_id,
    drop column schedule_id,
    drop column fire_time,
    drop column parent_job_id,
    drop column trace_context,
    drop column epoch;
