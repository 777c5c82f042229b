-- A page of jobs, newest first; a filter that is null does not narrow.
select
    tenant, job_id, type, status::text as status, coalesce(metadata, '{}') as metadata, created_at, updated_at, user_id,
    runner_type, external_id, external_run_id, payload, result, coalesce(run_at, created_at) as run_at, started_at,
    completed_at, attempt, max_attempts, rescues, coalesce(queue, type) as queue, priority, progress, progress_message,
    error, dedupe_key, singleton_key, cancel_requested, schedule_id, fire_time, parent_job_id, epoch
from public.jobs
where (%(tenant)s::uuid is null or tenant = %(tenant)s)
    and (%(ids)s::uuid[] is null or job_id = any (%(ids)s))
    and (%(states)s::text[] is null or status = any (%(states)s::text[]::public.job_status[]))
    and (%(names)s::text[] is null or type = any (%(names)s))
    and (%(runner_types)s::text[] is null or runner_type = any (%(runner_types)s))
    and (%(external_id)s::text is null or external_id = %(external_id)s)
    and (%(created_after)s::timestamptz is null or created_at >= %(created_after)s)
    and (%(created_before)s::timestamptz is null or created_at < %(created_before)s)
    and (%(parent_job_id)s::uuid is null or parent_job_id = %(parent_job_id)s)
    and (%(before)s::uuid is null or (created_at, job_id) < (
        select b.created_at, b.job_id
        from public.jobs b
        where b.job_id = %(before)s and (%(tenant)s::uuid is null or b.tenant = %(tenant)s)
        limit 1))
order by created_at desc, job_id desc
limit %(limit)s
