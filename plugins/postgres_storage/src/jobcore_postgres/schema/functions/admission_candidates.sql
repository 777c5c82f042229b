-- The first jobs of each of up to `lanes` lanes that come after `beyond`: in each as many as are looked at together. Lanes of
-- one tenant among others (`width` 0) share the places of as many `hands`, for no more can pass.
create or replace function jobcore.admission_candidates(beyond text, lanes integer, hands integer)
returns table (
    tenant uuid, job_id uuid, lane text, priority integer, number bigint, gates jsonb, is_paused boolean
)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
    some_paused constant boolean := exists (select from jobcore.pauses);
begin
    return query
        with walk as materialized (
            select w.lane, w.width from jobcore.admission_lanes($1, $2) w
        ),
        share as materialized (
            select 2 + 2 * greatest($3, 10) / greatest(count(*), 1) as size from walk w where w.width = 0
        )
        select h.tenant, h.job_id, w.lane, h.priority, h.number, h.gates,
            some_paused and jobcore.admission_is_paused(h.tenant, h.type, h.queue)
        from walk w
        cross join share s
        cross join lateral (
            select a.*
            from jobcore.admissions a
            where a.state = 'due' and a.lane = w.lane
            order by a.priority desc, a.number
            limit case w.width when 0 then s.size else w.width end
        ) h;
end
$$;
