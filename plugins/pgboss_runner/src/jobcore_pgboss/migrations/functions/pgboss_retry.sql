-- An operator's retry: a failed or cancelled job is queued again, its attempts renewed and counted on. One with an admission
-- waits for it first. False if the job has not failed or been cancelled, or is another engine's.
create or replace function jobcore.pgboss_retry(tenant uuid, job_id uuid) returns boolean
language plpgsql
as $$
#variable_conflict use_column
declare
    job public.jobs;
begin
    perform jobcore.pgboss_refuse_taken(
        jsonb_agg(jsonb_build_object('id', b.job_id, 'tenant', b.tenant, 'queue', b.queue)))
    from public.jobs b
    where b.tenant = $1 and b.job_id = $2;

    perform
    from public.jobs b
    join pgboss.job j on j.name = b.queue and j.id = b.job_id
    where b.tenant = $1 and b.job_id = $2
    for update of j;
    perform from public.jobs b where b.tenant = $1 and b.job_id = $2 for no key update;
    if not exists (
        select from public.jobs b where b.tenant = $1 and b.job_id = $2 and b.runner_type = 'pgboss'
    ) then
        return false;
    end if;

    select r.* into job from jobcore.job_requeue($1, array[$2]) r;
    if job.job_id is null then
        return false;
    end if;
    if job.status = 'pending' then
        delete from pgboss.job j where j.name = job.queue and j.id = job.job_id;
        return true;
    end if;

    perform jobcore.pgboss_ensure_queues(jsonb_build_array(jsonb_build_object('name', job.queue)));
    insert into pgboss.job (
        id, name, priority, data, state, retry_limit, retry_count, retry_delay, retry_backoff, retry_delay_max,
        expire_seconds, deletion_seconds, group_id, start_after, created_on, keep_until, policy, dead_letter,
        heartbeat_seconds)
    select
        job.job_id, q.name, job.priority, job.payload, 'retry', job.max_attempts - 1, job.attempt, q.retry_delay,
        q.retry_backoff, q.retry_delay_max, q.expire_seconds, q.deletion_seconds, job.tenant::text, job.run_at,
        pgboss.job_now(), job.run_at + q.retention_seconds * interval '1 second', q.policy, q.dead_letter,
        q.heartbeat_seconds
    from pgboss.queue q
    where q.name = job.queue
    on conflict (name, id) do update
    set state = 'retry',
        retry_limit = excluded.retry_limit,
        retry_count = excluded.retry_count,
        start_after = excluded.start_after,
        keep_until = excluded.keep_until,
        started_on = null,
        completed_on = null,
        heartbeat_on = null;
    perform pg_notify(jobcore.pgboss_channel(), q.name) from pgboss.queue q where q.name = job.queue and q.notify;
    return true;
end
$$;
