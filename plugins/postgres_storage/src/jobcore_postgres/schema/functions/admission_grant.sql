-- Admit these jobs, a JSON array of {tenant, job_id, seats: [gate]}: they hold the seats now, and their engines have them, in
-- this order. One that was cancelled meanwhile, or that somebody holds, is passed by. Of the gates with a rate, `levels` tells
-- the tokens that are left; `paused` are candidates that a pause holds up.
create or replace function jobcore.admission_grant(granted jsonb, levels jsonb, paused jsonb) returns void
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    tenants uuid[];
    ids uuid[];
    engine record;
begin
    if $3 <> '[]' then
        update jobcore.admissions a
        set state = 'paused'
        from jsonb_to_recordset($3) as p (tenant uuid, job_id uuid)
        where a.tenant = p.tenant and a.job_id = p.job_id;
    end if;

    select array_agg(l.tenant), array_agg(l.job_id) into tenants, ids
    from (
        select j.tenant, j.job_id
        from (
            select g.tenant, g.job_id
            from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid)
            order by g.tenant, g.job_id
        ) g
        join public.jobs j on j.tenant = g.tenant and j.job_id = g.job_id
        where j.status = 'pending'
        for no key update of j skip locked
    ) l;

    update public.jobs j
    set status = 'queued',
        epoch = j.epoch + (j.started_at is not null)::integer,
        updated_at = statement_timestamp()
    from unnest(tenants, ids) as g (tenant, job_id)
    where j.tenant = g.tenant and j.job_id = g.job_id;

    delete from jobcore.admissions a
    using unnest(tenants, ids) as g (tenant, job_id)
    where a.tenant = g.tenant and a.job_id = g.job_id;

    insert into jobcore.slots (tenant, job_id, gate)
    select l.tenant, l.job_id, s.gate
    from unnest(tenants, ids) as l (tenant, job_id)
    join jsonb_to_recordset($1) as g (tenant uuid, job_id uuid, seats jsonb)
        on g.tenant = l.tenant and g.job_id = l.job_id
    cross join lateral jsonb_array_elements_text(g.seats) as s (gate);

    insert into jobcore.buckets (gate, tokens, filled_at)
    select l.key, l.value::double precision, statement_timestamp()
    from jsonb_each_text($2) l
    on conflict (gate) do update
    set tokens = excluded.tokens,
        filled_at = excluded.filled_at;

    for engine in
        select e.admit, jsonb_agg(jsonb_build_object('tenant', j.tenant, 'job_id', j.job_id) order by g.ord) as jobs
        from rows from (jsonb_to_recordset($1) as (tenant uuid, job_id uuid)) with ordinality as g (tenant, job_id, ord)
        join unnest(tenants, ids) as l (tenant, job_id) on l.tenant = g.tenant and l.job_id = g.job_id
        join public.jobs j on j.tenant = g.tenant and j.job_id = g.job_id
        join jobcore.engines e on e.runner_type = j.runner_type
        group by e.admit
    loop
        execute format('select %s($1)', engine.admit) using engine.jobs;
    end loop;
end
$$;
