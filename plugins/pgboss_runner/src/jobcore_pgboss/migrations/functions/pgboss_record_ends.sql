-- Write into `jobs` how these queue rows ended, where that is not known: a job that Node worked, failed or cancelled, and
-- one that waits no longer because its time is over. Jobs that only Node knew get their rows; those that Node ran once more
-- after their end are opened again first. Returns how many were written.
-- pg-boss's own queues are its own business. Each row is looked up by its key, whatever the planner believes of the tables:
-- the limits, and the offset, keep it from joining otherwise, and only the key of the queue has the order that is asked for.
create or replace function jobcore.pgboss_record_ends(queue text, job_ids uuid[]) returns integer
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    strangers jsonb;
    ends jsonb;
    written jsonb;
begin
    if starts_with($1, '__pgboss__') then
        return 0;
    end if;
    select jsonb_agg(jsonb_build_object('name', j.name, 'id', j.id))
    into strangers
    from unnest($2) as w (id)
    cross join lateral (select * from pgboss.job j where j.name = $1 and j.id between w.id and w.id order by j.id limit 1) j
    where not exists (
        select
        from public.jobs b
        where b.tenant = jobcore.pgboss_tenant(j.group_id, j.data) and b.job_id = j.id
        offset 0);
    if strangers is not null then
        perform jobcore.pgboss_adopt(strangers);
    end if;

    perform jobcore.job_requeue(again.tenant, again.ids)
    from (
        select b.tenant, array_agg(b.job_id order by b.job_id) as ids
        from unnest($2) as w (id)
        cross join lateral (select * from pgboss.job j where j.name = $1 and j.id between w.id and w.id order by j.id limit 1) j
        cross join lateral (
            select *
            from public.jobs b
            where b.tenant = jobcore.pgboss_tenant(j.group_id, j.data) and b.job_id = j.id
            limit 1
        ) b
        where j.state > 'active'
            and b.runner_type = 'pgboss'
            and b.status in ('failed', 'cancelled')
            and b.status::text <> j.state::text
            and b.completed_at < j.started_on
        group by b.tenant
    ) again;

    select jsonb_agg(jsonb_build_object(
        'tenant', b.tenant,
        'job_id', b.job_id,
        'attempt', case when j.started_on is not null then greatest(b.attempt, j.retry_count + 1) end,
        'outcome', case when j.state < 'active' then 'cancelled' else j.state::text end,
        'result', case when j.state = 'completed' then jobcore.pgboss_result(j.output) end,
        'error', case
            when j.state = 'failed' then jobcore.pgboss_error(j.output)
            when j.state = 'cancelled' then jsonb_build_object('reason', 'cancelled in pg-boss')
            when j.state < 'active' then jsonb_build_object('reason', 'not begun before the end of its retention')
        end,
        'started_at', j.started_on,
        'completed_on', j.completed_on,
        'duration_ms', extract(epoch from j.completed_on - j.started_on) * 1000))
    into ends
    from unnest($2) as w (id)
    cross join lateral (select * from pgboss.job j where j.name = $1 and j.id between w.id and w.id order by j.id limit 1) j
    cross join lateral (
        select *
        from public.jobs b
        where b.tenant = jobcore.pgboss_tenant(j.group_id, j.data) and b.job_id = j.id
        limit 1
    ) b
    where j.state <> 'active'
        and b.runner_type = 'pgboss'
        and b.status in ('pending', 'queued', 'active', 'processing');
    if ends is null then
        return 0;
    end if;

    select jsonb_agg(e.element) filter (where s.applied)
    into written
    from jobcore.job_settle(ends) s
    join jsonb_array_elements(ends) with ordinality as e (element, ord) on e.ord = s.ord;
    update public.jobs b
    set completed_at = e.completed_on
    from jsonb_to_recordset(written) as e (tenant uuid, job_id uuid, completed_on timestamptz)
    where b.tenant = e.tenant and b.job_id = e.job_id and e.completed_on is not null;
    return coalesce(jsonb_array_length(written), 0);
end
$$;
