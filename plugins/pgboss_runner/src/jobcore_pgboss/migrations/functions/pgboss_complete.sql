-- Write that claims completed: the short way of `pgboss_settle` for the usual end of a job of ours, in a queue whose ended
-- rows are deleted. Arrays of one length, as `job_complete` takes them. The answer: the positions (from 1) that were
-- written; `pgboss_settle` tells what became of the others, of which nothing has changed but that the queue row of a job
-- which had ended otherwise is gone.
create or replace function jobcore.pgboss_complete(
    queues text[], job_ids uuid[], tenants text[], retry_counts integer[], started_us bigint[], began_us bigint[],
    results jsonb, worker uuid
) returns setof integer
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
    ords integer[];
    gone_tenants uuid[];
    gone_ids uuid[];
    attempts integer[];
    began bigint[];
begin
    with given as materialized (
        select i.*
        from unnest($1, $2, $3, $4, $5, $6) with ordinality as i (
            queue, job_id, tenant, retry_count, started_us, began_us, ord)
        where i.queue in (select o.name from jobcore.pgboss_queues o where o.delete_ended)
        order by i.job_id
    ),
    -- Only the key has this order, and nothing is to be sorted: so the planner takes the key, whatever it believes of the
    -- table, which is often empty when it is looked at. A row is then deleted at its place: pages are said to cost
    -- nothing, and entries of an index very much.
    found as materialized (
        select g.*, l.place
        from given g
        cross join lateral (
            select j.ctid as place
            from pgboss.job j
            where j.name = g.queue and j.id between g.job_id and g.job_id
            order by j.id
            limit 1
        ) l
    ),
    removed as (
        delete from pgboss.job j
        using found g
        where j.name = g.queue
            and j.ctid = g.place
            -- One expression, of which the planner does not believe that it leaves few rows: it would begin with them.
            and case
                when j.state::text = 'active'
                    and j.retry_count = g.retry_count
                    and j.started_on = 'epoch'::timestamptz + g.started_us * interval '1 microsecond'
                    and j.group_id = g.tenant
                    and j.singleton_on is null
                    and not j.blocking
                then true
                else false
            end
        returning g.*
    )
    select array_agg(r.ord), array_agg(r.tenant::uuid), array_agg(r.job_id), array_agg(r.retry_count + 1),
        array_agg(r.began_us)
    into ords, gone_tenants, gone_ids, attempts, began
    from removed r;

    return query
        select ords[c.place]
        from jobcore.job_complete(
            gone_tenants, gone_ids, attempts, began,
            case when $7 is not null then (select jsonb_agg($7 -> o - 1) from unnest(ords) o) end,
            $8) as c (place);
end
$$;
