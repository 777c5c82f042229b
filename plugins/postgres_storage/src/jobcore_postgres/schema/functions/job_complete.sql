-- Write that attempts completed: what `job_settle` does for these, where a fence of the caller's has decided already.
-- Arrays of one length, which are cheaper to make and to read than JSON: when each handler began is in microseconds since
-- 1970 or null, `results` is a JSON array or null where there is none. The answer: the positions (from 1) that were written.
create or replace function jobcore.job_complete(
    tenants uuid[], job_ids uuid[], attempts integer[], began_us bigint[], results jsonb, worker uuid
) returns setof integer
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set random_page_cost = 4  -- the defaults, whatever the caller has set for statements of its own
set cpu_index_tuple_cost = 0.005
as $$
#variable_conflict use_column
declare
    ords integer[];
    ended_tenants uuid[];
    ended_ids uuid[];
    gated boolean;
begin
    with given as materialized (
        select i.*
        from unnest($1, $2, $3, $4) with ordinality as i (tenant, job_id, attempt, began_us, ord)
        order by i.tenant, i.job_id
    ),
    ended as (
        update public.jobs j
        set status = 'completed',
            attempt = g.attempt,
            result = nullif($5 -> (g.ord - 1)::integer, 'null'),
            error = null,
            progress = 100,
            started_at = coalesce('epoch'::timestamptz + g.began_us * interval '1 microsecond', j.started_at),
            completed_at = statement_timestamp(),
            held_key = null,
            lease_token = null,
            worker_id = $6,
            updated_at = statement_timestamp()
        from given g
        where j.tenant = g.tenant
            and j.job_id = g.job_id
            -- One expression, of which the planner does not believe that it leaves few rows: it would begin with them.
            and case
                when j.status in ('queued', 'active', 'processing') and j.attempt <= g.attempt then true
                else false
            end
        returning g.ord::integer, j.tenant, j.job_id, j.admission is not null as gated
    )
    select array_agg(e.ord), array_agg(e.tenant), array_agg(e.job_id), bool_or(e.gated)
    into ords, ended_tenants, ended_ids, gated
    from ended e;

    perform jobcore.job_ended(ended_tenants, ended_ids, gated);
    return query select unnest(ords);
end
$$;
