-- The part of `pgboss_enqueue` for jobs that nothing holds up. A job that is here already gets no second queue row. The
-- queue row names no column that is younger than version 42.
create or replace function jobcore.pgboss_enqueue_now(jobs jsonb)
returns table (ord integer, job_id uuid, inserted boolean)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    if exists (
        select
        from jsonb_to_recordset($1) as i (queue text, type text)
        where not exists (select from pgboss.queue q where q.name = coalesce(i.queue, i.type))
    ) then
        perform jobcore.pgboss_ensure_queues(jsonb_agg(jsonb_build_object(
            'name', coalesce(i.queue, i.type),
            'expire_seconds', i.expire_seconds,
            'heartbeat_seconds', i.heartbeat_seconds)))
        from jsonb_to_recordset($1) as i (queue text, type text, expire_seconds integer, heartbeat_seconds integer);
    end if;

    return query
        with accepted as materialized (
            select n.ord, n.job_id, n.tenant, n.inserted, n.run_at from jobcore.job_new($1) n
        ),
        queued as (
            insert into pgboss.job (
                id, name, priority, data, retry_limit, retry_delay, retry_backoff, retry_delay_max, expire_seconds,
                deletion_seconds, group_id, start_after, created_on, keep_until, policy, dead_letter, heartbeat_seconds)
            select
                a.job_id, q.name, coalesce(i.priority, 0), i.payload,
                coalesce(i.retry_limit, i.max_attempts - 1, q.retry_limit),
                coalesce(i.retry_delay, q.retry_delay),
                coalesce(i.retry_backoff, q.retry_backoff),
                coalesce(i.retry_delay_max, q.retry_delay_max),
                coalesce(i.expire_seconds, q.expire_seconds),
                q.deletion_seconds, a.tenant::text, a.run_at, pgboss.job_now(),
                a.run_at + q.retention_seconds * interval '1 second',
                q.policy, q.dead_letter, coalesce(i.heartbeat_seconds, q.heartbeat_seconds)
            from rows from (
                jsonb_to_recordset($1) as (
                    queue text, type text, payload jsonb, priority integer, max_attempts integer, retry_limit integer,
                    retry_delay integer, retry_backoff boolean, retry_delay_max integer, expire_seconds integer,
                    heartbeat_seconds integer)
            ) with ordinality as i (
                queue, type, payload, priority, max_attempts, retry_limit, retry_delay, retry_backoff, retry_delay_max,
                expire_seconds, heartbeat_seconds, ord)
            join accepted a on a.ord = i.ord and a.inserted
            join pgboss.queue q on q.name = coalesce(i.queue, i.type) and q.policy is distinct from 'key_strict_fifo'
            order by i.ord
            on conflict do nothing
            returning name, start_after
        ),
        woken as (
            select pg_notify(jobcore.pgboss_channel(), ready.name)
            from (
                select distinct w.name
                from queued w
                join pgboss.queue q on q.name = w.name and q.notify
                where w.start_after <= statement_timestamp()
            ) ready
        )
        select a.ord, a.job_id, a.inserted
        from accepted a
        where (select count(*) from woken) >= 0
            and ((select count(*) from queued) = (select count(*) from accepted i where i.inserted)
                or jobcore.pgboss_refuse($1))
        order by a.ord;
end
$$;
