-- The first jobs of each of up to `lanes` lanes that come after `beyond`: in each as many as could pass at most. Their rows in
-- `jobs` are locked; a row that somebody else holds is passed by.
create or replace function jobcore.admission_candidates(beyond text, lanes integer)
returns table (tenant uuid, job_id uuid, lane text, priority integer, number bigint, gates jsonb, is_paused boolean)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
as $$
#variable_conflict use_column
begin
    return query
        with recursive walk (lane, width, place) as (
            select f.lane, f.width, 1
            from (
                select a.lane, a.width
                from jobcore.admissions a
                where a.state = 'due' and a.lane > $1
                order by a.lane, a.priority desc, a.number
                limit 1
            ) f
            union all
            select n.lane, n.width, w.place + 1
            from walk w
            cross join lateral (
                select a.lane, a.width
                from jobcore.admissions a
                where a.state = 'due' and a.lane > w.lane
                order by a.lane, a.priority desc, a.number
                limit 1
            ) n
            where w.place < $2
        )
        select h.tenant, h.job_id, w.lane, h.priority, h.number, h.gates,
            jobcore.admission_is_paused(h.tenant, h.type, h.queue)
        from walk w
        cross join lateral (
            select a.*
            from jobcore.admissions a
            where a.state = 'due' and a.lane = w.lane
            order by a.priority desc, a.number
            limit w.width
        ) h
        cross join lateral (
            select
            from public.jobs j
            where j.tenant = h.tenant and j.job_id = h.job_id and j.status = 'pending'
            for no key update skip locked
        ) l;
end
$$;
