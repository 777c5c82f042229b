-- Delete the jobs of a queue that are in one of `states`, among its next `limit` keys beginning at `from`; write into `jobs`
-- first how those ended that stand there. The answer: {"deleted", "next"}, the key to go on at; null, if there is no such
-- queue. It walks by keys, whatever the planner believes of the table.
create or replace function jobcore.boss_delete_batch(queue text, asked jsonb) returns jsonb
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    its constant jsonb := (select to_jsonb(q) from pgboss.queue q where q.name = $1);
    lim constant integer := ($2 ->> 'limit')::integer;
    keys uuid[];
    doomed uuid[];
    retained integer;
begin
    if its is null then
        return 'null';
    end if;
    keys := array(
        select j.id
        from pgboss.job j
        where j.name = $1 and j.id >= coalesce($2 ->> 'from', '00000000-0000-0000-0000-000000000000')::uuid
        order by j.id
        limit lim + 1);
    doomed := array(
        select l.id
        from unnest(keys[:lim]) as k (id)
        cross join lateral (
            select j.id
            from pgboss.job j
            where j.name = $1 and j.id = k.id and $2 -> 'states' ? j.state::text
            limit 1
            for update
        ) l);

    perform jobcore.pgboss_record_ends($1, array(
        select j.id
        from unnest(doomed) as d (id)
        cross join lateral (select * from pgboss.job j where j.name = $1 and j.id = d.id limit 1) j
        where j.state > 'active'
            and exists (
                select
                from public.jobs b
                where b.tenant = jobcore.pgboss_tenant(j.group_id, j.data) and b.job_id = j.id
                offset 0)));
    with gone as (
        delete from pgboss.job j
        using unnest(doomed) as d (id)
        where j.name = $1 and j.id = d.id
        returning j.state, j.completed_on
    )
    select count(*) into retained
    from gone g
    where g.state in ('completed', 'cancelled') and g.completed_on <= (its ->> 'retained_on')::timestamptz;

    if its ? 'retained_count' and doomed <> '{}' then  -- since version 46
        update pgboss.queue q
        set retained_count = case when q.retained_count is not null then greatest(q.retained_count - retained, 0) end,
            total_count = greatest(q.total_count - cardinality(doomed), 0)
        where q.name = $1;
    end if;
    return jsonb_build_object('deleted', cardinality(doomed), 'next', keys[lim + 1]);
end
$$;
