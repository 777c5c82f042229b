-- Take back what nobody works on any more: jobs whose lease ran out run again at once, and that attempt costs nothing up
-- to five times; jobs that outlived their time-out have used an attempt, and wait for their backoff.
create or replace function jobcore.pgboss_rescue(queues text[], lim integer)
returns table (job_id uuid, tenant uuid, queue text, follow text, worker uuid)
language plpgsql
as $$
#variable_conflict use_column
declare
    given jsonb;
begin
    with stuck as materialized (
        select j.*,
            coalesce(
                j.heartbeat_on + j.heartbeat_seconds * interval '1 second' < pgboss.job_now(), false) as lease_lost
        from pgboss.job j
        where j.name = any ($1)
            and j.state = 'active'
            and (
                j.heartbeat_on + j.heartbeat_seconds * interval '1 second' < pgboss.job_now()
                or j.started_on + j.expire_seconds * interval '1 second' < pgboss.job_now())
        order by j.id
        limit $2
        for update skip locked
    ),
    adopted as (
        select jobcore.pgboss_adopt(
            jsonb_agg(jsonb_build_object('name', s.name, 'id', s.id)) filter (where b.job_id is null))
        from stuck s
        left join public.jobs b on b.tenant = jobcore.pgboss_tenant(s.group_id, s.data) and b.job_id = s.id
    )
    select jsonb_agg(jsonb_build_object(
        'tenant', jobcore.pgboss_tenant(s.group_id, s.data),
        'job_id', s.id,
        'queue', s.name,
        'attempt', s.retry_count + 1,
        'retry_count', s.retry_count,
        'started_us', jobcore.pgboss_started_us(s.started_on),
        'started_at', s.started_on,
        'worker', b.worker_id,
        'outcome', case
            when s.lease_lost then 'lost'
            when s.retry_count < s.retry_limit then 'retry'
            else 'failed'
        end,
        'run_at_ms', case when s.lease_lost then 0 else jobcore.pgboss_backoff_ms(
            s.retry_count, s.retry_delay, s.retry_backoff, s.retry_delay_max) end,
        'error', case
            when s.lease_lost then jsonb_build_object(
                'type', 'LeaseLostError',
                'message', format('lease lost by worker %s', coalesce(b.worker_id::text, '(not recorded)')))
            else jsonb_build_object(
                'type', 'JobTimeoutError',
                'message', format('still running after %s seconds', s.expire_seconds))
        end))
    into given
    from stuck s
    left join public.jobs b
        on b.tenant = jobcore.pgboss_tenant(s.group_id, s.data) and b.job_id = s.id and b.attempt = s.retry_count + 1
    where (select count(*) from adopted) >= 0;

    if given is null then
        return;
    end if;
    perform pg_notify(jobcore.pgboss_channel(), ready.queue)
    from (select distinct g.queue from jsonb_to_recordset(given) as g (queue text)) ready;
    return query
        select g.job_id, g.tenant, g.queue, s.follow, g.worker
        from jobcore.pgboss_settle(given) s
        join rows from (
            jsonb_to_recordset(given) as (job_id uuid, tenant uuid, queue text, worker uuid)
        ) with ordinality as g (job_id, tenant, queue, worker, ord) on g.ord = s.ord
        where s.applied;
end
$$;
