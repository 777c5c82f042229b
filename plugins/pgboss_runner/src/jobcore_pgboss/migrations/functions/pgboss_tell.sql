-- What a worker needs to know of rows that it has just claimed, in the order of these queues, and within one by priority
-- and age. Jobs that Node sent, or runs once more, are made ready in `jobs` here.
-- `retry_delay_ms` is that of the schedule that fired the job, or was triggered by hand, where it names one; `next_delay_ms` is what a job that pg-boss's own verbs
-- sent waits before the next attempt, by its own options.
-- `stop` tells why a claimed job must not run: {"reason": ...} if its cancellation was asked for, or if it has ended.
create or replace function jobcore.pgboss_tell(claimed pgboss.job[], queues text[])
returns table (
    queue text, job_id uuid, tenant uuid, type text, payload bytea, retry_count integer, started_us bigint,
    max_attempts integer, priority integer, created_on timestamptz, stop jsonb, retry_delay_ms bigint,
    next_delay_ms bigint
)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_sort = off
as $$
#variable_conflict use_column
declare
    untold pgboss.job[] := $1;
    told integer;
begin
    while untold is not null loop
        return query
            select c.name, c.id, b.tenant, b.type::text, convert_to(coalesce(c.data, 'null')::text, 'UTF8'),
                c.retry_count, jobcore.pgboss_started_us(c.started_on), b.max_attempts, c.priority, c.created_on,
                case
                    when b.cancel_requested is not null then b.cancel_requested
                    when b.status in ('completed', 'failed', 'cancelled')
                        then jsonb_build_object('reason', 'the job had ended as ' || b.status)
                end,
                case
                    when b.schedule_id is not null then (
                        select least(s.backoff_ms, 31536000000)  -- a year, as for every retry policy
                        from public.cron_jobs s
                        where s.tenant = b.tenant and s.schedule_id = b.schedule_id)
                    when b.metadata ->> 'trigger' = 'cronTrigger' then (
                        select least(s.backoff_ms, 31536000000)
                        from public.cron_jobs s
                        where s.tenant = b.tenant and s.job_id = b.metadata ->> 'schedule')
                end,
                case when b.metadata ->> 'trigger' = 'pg-boss' then least(
                    jobcore.pgboss_backoff_ms(c.retry_count, c.retry_delay, c.retry_backoff, c.retry_delay_max),
                    31536000000)::bigint
                end
            from unnest(untold) c
            -- One look by key for each: only the key has this order, and nothing is to be sorted, so that the planner takes
            -- it whatever it believes of the table; the limit keeps it from joining.
            cross join lateral (
                select j.tenant, j.type, j.max_attempts, j.cancel_requested, j.status, j.schedule_id,
                    j.metadata
                from public.jobs j
                where j.tenant = jobcore.pgboss_tenant(c.group_id, c.data)
                    and j.job_id between c.id and c.id
                    and (j.status not in ('failed', 'cancelled') or j.error is null)
                order by j.job_id
                limit 1
            ) b
            order by array_position($2, c.name), c.priority desc, c.created_on, c.id;
        get diagnostics told = row_count;
        exit when told = cardinality(untold);
        untold := jobcore.pgboss_welcome(untold);
    end loop;
end
$$;
