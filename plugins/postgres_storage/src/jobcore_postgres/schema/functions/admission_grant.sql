-- Admit these jobs, a JSON array of {tenant, job_id, seats: [gate]}: they hold the seats now, and their engines have them. Of the
-- gates with a rate, `levels` tells the tokens that are left; `paused` are candidates that a pause holds up.
create or replace function jobcore.admission_grant(granted jsonb, levels jsonb, paused jsonb) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
    engine record;
begin
    update jobcore.admissions a
    set state = 'paused'
    from jsonb_to_recordset($3) as p (tenant uuid, job_id uuid)
    where a.tenant = p.tenant and a.job_id = p.job_id;

    insert into jobcore.slots (tenant, job_id, gate)
    select g.tenant, g.job_id, s.gate
    from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid, seats jsonb)
    cross join lateral jsonb_array_elements_text(g.seats) as s (gate);

    insert into jobcore.buckets (gate, tokens, filled_at)
    select l.key, l.value::double precision, statement_timestamp()
    from jsonb_each_text($2) l
    on conflict (gate) do update
    set tokens = excluded.tokens,
        filled_at = excluded.filled_at;

    delete from jobcore.admissions a
    using jsonb_to_recordset($1) as g (tenant uuid, job_id uuid)
    where a.tenant = g.tenant and a.job_id = g.job_id;

    update public.jobs j
    set status = 'queued',
        epoch = j.epoch + (j.attempt > 0)::integer,
        updated_at = statement_timestamp()
    from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid)
    where j.tenant = g.tenant and j.job_id = g.job_id;

    for engine in
        select e.admit, jsonb_agg(jsonb_build_object('tenant', j.tenant, 'job_id', j.job_id)) as jobs
        from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid)
        join public.jobs j on j.tenant = g.tenant and j.job_id = g.job_id
        join jobcore.engines e on e.runner_type = j.runner_type
        group by e.admit
    loop
        execute format('select %s($1)', engine.admit) using engine.jobs;
    end loop;
end
$$;
