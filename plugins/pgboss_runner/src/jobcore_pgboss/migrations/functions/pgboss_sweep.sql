-- Fail what Node claimed and nobody works on: jobs that outlived their time-out or their heartbeat, as pg-boss fails them
-- (another attempt after the backoff, or the end and a copy in the dead letter queue). Up to `lim` rows of these queues of
-- one table, under the locks of Node's own sweeps. A row of which `jobs` knows the worker is our rescuer's.
create or replace function jobcore.pgboss_sweep(table_name text, queues text[], lim integer)
returns table (job_id uuid, queue text)
language plpgsql
as $$
#variable_conflict use_column
declare
    strangers jsonb;
    given jsonb;
begin
    perform pg_advisory_xact_lock(jobcore.pgboss_lock_key($1 || 'failJobsByTimeout'));
    perform pg_advisory_xact_lock(jobcore.pgboss_lock_key($1 || 'failJobsByHeartbeat'));

    with stuck as materialized (
        select j.*
        from pgboss.job j
        where j.name = any ($2)
            and j.state = 'active'
            and (
                j.heartbeat_on + j.heartbeat_seconds * interval '1 second' < pgboss.job_now()
                or j.started_on + j.expire_seconds * interval '1 second' < pgboss.job_now())
            and not exists (
                select
                from public.jobs b
                where b.tenant = jobcore.pgboss_tenant(j.group_id, j.data)
                    and b.job_id = j.id
                    and b.status in ('active', 'processing')
                    and b.attempt = j.retry_count + 1
                offset 0)  -- a look by key for each
        order by j.id
        limit $3
        for update skip locked
    )
    select
        jsonb_agg(jsonb_build_object('name', s.name, 'id', s.id)) filter (where b.job_id is null),
        jsonb_agg(jsonb_build_object(
            'tenant', jobcore.pgboss_tenant(s.group_id, s.data),
            'job_id', s.id,
            'queue', s.name,
            'attempt', s.retry_count + 1,
            'retry_count', s.retry_count,
            'started_us', jobcore.pgboss_started_us(s.started_on),
            'started_at', s.started_on,
            'outcome', case when s.retry_count < s.retry_limit then 'retry' else 'failed' end,
            'run_at_ms', jobcore.pgboss_backoff_ms(s.retry_count, s.retry_delay, s.retry_backoff, s.retry_delay_max),
            'error', case
                when s.started_on + s.expire_seconds * interval '1 second' < pgboss.job_now()
                    then '{"type": "JobTimeoutError", "message": "job timed out"}'::jsonb
                else '{"type": "LeaseLostError", "message": "job heartbeat timeout"}'
            end))
    into strangers, given
    from stuck s
    left join lateral (
        select b.job_id
        from public.jobs b
        where b.tenant = jobcore.pgboss_tenant(s.group_id, s.data) and b.job_id = s.id
        limit 1
    ) b on true;
    if given is null then
        return;
    end if;
    if strangers is not null then
        perform jobcore.pgboss_adopt(strangers);
    end if;

    perform pg_notify(jobcore.pgboss_channel(), ready.queue)
    from (select distinct g.queue from jsonb_to_recordset(given) as g (queue text)) ready;
    return query
        select g.job_id, g.queue
        from jobcore.pgboss_settle(given) s
        join rows from (
            jsonb_to_recordset(given) as (job_id uuid, queue text)
        ) with ordinality as g (job_id, queue, ord) on g.ord = s.ord
        where s.applied;
end
$$;
