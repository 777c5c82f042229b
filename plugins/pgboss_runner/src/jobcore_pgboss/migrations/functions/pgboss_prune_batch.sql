-- Delete what one queue keeps too long, among its next `lim` keys after `after`: ended rows past their deletion_seconds,
-- and waiting ones past their keep_until. Their jobs are told first. Rows that somebody holds stay for the next pass.
-- `walked_to` is the last key seen, null at the end of the queue; no row at all if the queue is gone.
-- It walks by keys, whatever the planner believes of a table that grows and shrinks faster than its statistics.
create or replace function jobcore.pgboss_prune_batch(
    queue text, after uuid, lim integer, retained_before timestamptz
)
returns table (walked_to uuid, deleted integer, retained integer)
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    its jsonb;
    keys uuid[];
    doomed uuid[];
    counted integer;
begin
    select to_jsonb(q) into its from pgboss.queue q where q.name = $1;
    if its is null then
        return;
    end if;
    perform pg_advisory_xact_lock(jobcore.pgboss_lock_key((its ->> 'table_name') || 'deletion'));

    select array_agg(p.id) into keys
    from (
        select j.id
        from pgboss.job j
        where j.name = $1 and j.id > coalesce($2, '00000000-0000-0000-0000-000000000000')
        order by j.id
        limit $3
    ) p;

    select array_agg(l.id) into doomed
    from unnest(keys) as k (id)
    cross join lateral (
        select j.id
        from pgboss.job j
        where j.name = $1
            and j.id = k.id
            and (
                j.deletion_seconds > 0
                and j.completed_on + j.deletion_seconds * interval '1 second' < pgboss.job_now()
                or j.state < 'active' and j.keep_until < pgboss.job_now())
        limit 1
        for update skip locked
    ) l;
    if doomed is not null then
        perform jobcore.pgboss_record_ends($1, doomed);
        with gone as (
            delete from pgboss.job j
            using unnest(doomed) as d (id)
            where j.name = $1 and j.id = d.id
            returning j.state, j.completed_on
        )
        select count(*) into counted
        from gone g
        where g.state in ('completed', 'cancelled') and g.completed_on <= (its ->> 'retained_on')::timestamptz;
        if its ? 'retained_count' then  -- since version 46
            update pgboss.queue q
            set retained_count = case when q.retained_count is not null then greatest(q.retained_count - counted, 0) end,
                total_count = greatest(q.total_count - cardinality(doomed), 0)
            where q.name = $1;
        end if;
    end if;

    return query
        select case when cardinality(keys) = $3 then keys[$3] end, coalesce(cardinality(doomed), 0), count(l.id)::integer
        from unnest(keys) as k (id)
        cross join lateral (
            select j.id
            from pgboss.job j
            where j.name = $1 and j.id = k.id and j.state in ('completed', 'cancelled') and j.completed_on <= $4
            limit 1
        ) l;
end
$$;
