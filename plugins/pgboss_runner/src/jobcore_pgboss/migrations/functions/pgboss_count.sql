-- Count the jobs of these queues into pg-boss's own cache; with `sample` the history of ready jobs gets one more. Returns each
-- queue with its backlog and the threshold of its warning.
create or replace function jobcore.pgboss_count(queues text[], sample boolean)
returns table (queue text, queued integer, warn_above integer, seconds double precision)
language plpgsql
as $$
#variable_conflict use_column
declare
    counts jsonb;
begin
    select jsonb_agg(to_jsonb(c)) into counts
    from (
        select
            n.name,
            count(*) filter (where j.state < 'active' and not j.blocked and j.start_after > pgboss.job_now()) as deferred,
            count(*) filter (where j.state < 'active' and j.blocked) as blocked,
            count(*) filter (where j.state < 'active' and not j.blocked and j.start_after <= pgboss.job_now()) as ready,
            count(*) filter (where j.state < 'active') as queued,
            count(*) filter (where j.state = 'active') as active,
            count(*) filter (where j.state = 'failed') as failed,
            array_agg(j.singleton_key)
                filter (where j.state = 'active' and j.policy in ('singleton', 'stately')) as singletons
        from unnest($1) n (name)
        left join pgboss.job j on j.name = n.name and j.state in ('created', 'retry', 'active', 'failed')
        group by n.name
    ) c;

    perform from pgboss.queue q where q.name = any ($1) order by q.name for no key update;
    if to_jsonb(q) ? 'blocked_count' from pgboss.queue q limit 1 then  -- since version 44
        update pgboss.queue q
        set blocked_count = c.blocked
        from jsonb_to_recordset(counts) as c (name text, blocked integer)
        where q.name = c.name;
    end if;
    return query
        update pgboss.queue q
        set deferred_count = c.deferred,
            ready_count = c.ready,
            queued_count = c.queued,
            active_count = c.active,
            failed_count = c.failed,
            total_count = case
                when to_jsonb(q) ->> 'retained_count' is null
                    then greatest(q.total_count, c.queued + c.active + c.failed)
                else c.queued + c.active + c.failed + (to_jsonb(q) ->> 'retained_count')::integer + (
                    select count(*)
                    from pgboss.job j
                    where j.name = q.name
                        and j.completed_on > (to_jsonb(q) ->> 'retained_on')::timestamptz
                        and j.completed_on <= pgboss.job_now()
                        and j.state in ('completed', 'cancelled'))
            end,
            singletons_active = c.singletons,
            ready_history = case when $2 then (array[c.ready] || q.ready_history)[:60] else q.ready_history end,
            monitor_on = pgboss.job_now()
        from jsonb_to_recordset(counts) as c (
            name text, deferred integer, ready integer, queued integer, active integer, failed integer, singletons text[])
        where q.name = c.name
        returning q.name, q.queued_count, q.warning_queued,
            extract(epoch from clock_timestamp() - transaction_timestamp())::double precision;
end
$$;
