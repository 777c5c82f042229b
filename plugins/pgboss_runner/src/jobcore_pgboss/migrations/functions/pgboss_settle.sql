-- Write how claims ended: a JSON array as `job_settle` takes it, with queue, retry_count and started_us beside.
-- The fence is the queue row, still active under the same claim; rows are locked in the order of their ids, and before
-- their rows in `jobs`. What becomes of the queue row follows from the state that `job_settle` answers.
create or replace function jobcore.pgboss_settle(settlements jsonb)
returns table (ord integer, applied boolean, follow text)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set random_page_cost = 0
set cpu_index_tuple_cost = 1000
set enable_sort = off
as $$
#variable_conflict use_column
declare
    wanted constant integer := jsonb_array_length($1);
    held integer[];
    places tid[];
    kept_ones boolean[];
    fenced jsonb := $1;
    are_stately boolean;
begin
    select coalesce(array_agg(g.ord order by g.ord), '{}'), array_agg(l.place order by g.ord),
        array_agg(l.is_kept order by g.ord), bool_or(l.policy = 'stately')
    into held, places, kept_ones, are_stately
    from (
        select i.*
        from rows from (
            jsonb_to_recordset($1) as (tenant uuid, queue text, job_id uuid, retry_count integer, started_us bigint)
        ) with ordinality as i (tenant, queue, job_id, retry_count, started_us, ord)
        order by i.job_id
    ) g
    -- One look by key for each: only the key has this order, and nothing is to be sorted, so that the planner takes it
    -- whatever it believes of the table, which is often empty when it is looked at. Afterwards the rows are found at their
    -- places: pages are said to cost nothing, and entries of an index very much.
    cross join lateral (
        select j.policy, j.ctid as place, j.singleton_on is not null or j.blocking as is_kept
        from pgboss.job j
        where j.name = g.queue
            and j.id between g.job_id and g.job_id
            and j.state::text = 'active'  -- as text, which no index offers to walk
            and j.retry_count = g.retry_count
            and jobcore.pgboss_started_us(j.started_on) = g.started_us
            -- A tenant's call can name any queue row. Of ours the group is the tenant, which spares the function.
            and (j.group_id = g.tenant::text or jobcore.pgboss_tenant(j.group_id, j.data) = g.tenant)
        order by j.id
        limit 1
        for update
    ) l;

    if cardinality(held) < wanted then
        select coalesce(jsonb_agg(e.element order by e.ord), '[]')
        into fenced
        from jsonb_array_elements($1) with ordinality e (element, ord)
        where e.ord = any (held);
    end if;
    if are_stately then
        fenced := jobcore.pgboss_seat(fenced);
    end if;

    return query
        with settled as materialized (
            select s.*, not s.is_kept and s.queue in (
                    select o.name from jobcore.pgboss_queues o where o.delete_ended) as is_deleted
            from rows from (
                jobcore.job_settle(fenced),
                jsonb_to_recordset(fenced) as (
                    queue text, outcome text, result jsonb, error jsonb, state text),
                unnest(held, places, kept_ones)
            ) as s (
                fenced_ord, applied, follow, run_at, max_attempts, queue, outcome, result, error, state, ord,
                place, is_kept)
        ),
        buried as materialized (
            select jobcore.pgboss_bury(j, jobcore.pgboss_output(s.error))
            from settled s
            join pgboss.job j on j.name = s.queue and j.ctid = s.place
            where s.follow = 'failed' and j.dead_letter is not null
        ),
        removed as (
            delete from pgboss.job j
            using settled s
            where j.name = s.queue
                and j.ctid = s.place
                and s.follow is distinct from 'queued'
                and (s.is_deleted or s.follow = 'pending')
        ),
        kept as (
            update pgboss.job j
            set state = coalesce(s.follow, 'cancelled')::pgboss.job_state,
                completed_on = pgboss.job_now(),
                output = jobcore.pgboss_output(case when s.follow = 'completed' then s.result else s.error end)
            from settled s
            where j.name = s.queue
                and j.ctid = s.place
                and (s.follow is null or s.follow not in ('queued', 'pending'))
                and not s.is_deleted
        ),
        again as (
            update pgboss.job j
            set state = case
                    when s.state is not null then s.state
                    when j.policy in ('short', 'stately') then 'retry'  -- another one may be `created` by now
                    when s.outcome in ('snoozed', 'released') and j.retry_count = 0 then 'created'
                    else 'retry'
                end::pgboss.job_state,
                started_on = case when s.outcome not in ('snoozed', 'released') then j.started_on end,
                start_after = s.run_at,
                keep_until = greatest(j.keep_until, s.run_at + interval '14 days'),
                retry_limit = greatest(j.retry_limit, s.max_attempts - 1),
                heartbeat_on = null,
                heartbeat_seconds = q.heartbeat_seconds,  -- no longer our lease
                output = coalesce(jobcore.pgboss_output(s.error), j.output)
            from settled s
            join pgboss.queue q on q.name = s.queue
            where j.name = s.queue and j.ctid = s.place and s.follow = 'queued'
        )
        select a.ord, bool_or(a.applied), max(a.follow)
        from (
            select s.ord, s.applied, s.follow from settled s
            union all
            select g.ord, false, null from generate_series(1, wanted) g (ord)
        ) a (ord, applied, follow)
        where (select count(*) from buried) >= 0  -- which buries them
        group by a.ord
        order by a.ord;
end
$$;
