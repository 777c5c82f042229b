-- Give jobs that have not begun to another engine, a JSON array of {tenant, job_id, options?}: under a raised epoch, so that
-- nothing of the old one counts, with their attempts, with what their engine was told of them and what the other one is to be
-- told beside (`options`), and in the order of their creation.
-- `note` goes into their metadata. Answers which were moved: the others run, have ended, are there, or their engine keeps them.
create or replace function jobcore.job_move(jobs jsonb, target text, note jsonb)
returns table (tenant uuid, job_id uuid)
language plpgsql
as $$
#variable_conflict use_column
declare
    its record;
    told jsonb;
    moved jsonb := '[]';
    admit constant text := (select e.admit from jobcore.engines e where e.runner_type = $2);
begin
    if admit is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('no engine %L takes jobs in this database', $2),
            hint = 'Install its plugin, and run jobcore migrate up.';
    end if;
    for its in
        select b.tenant, b.job_id, coalesce(g.options, '{}') as options
        from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid, options jsonb)
        join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
        where b.runner_type <> $2 and b.status in ('pending', 'queued')
        order by b.tenant, b.job_id
    loop
        told := jobcore.job_take_out(its.tenant, its.job_id) || its.options;
        continue when told is null;
        update public.jobs b
        set runner_type = $2,
            epoch = b.epoch + 1,
            external_id = null,
            external_run_id = null,
            admission = b.admission || jsonb_build_object(
                'engine', coalesce(nullif(b.admission -> 'engine', 'null'), '{}') || told),
            metadata = coalesce(b.metadata, '{}') || $3,
            updated_at = statement_timestamp()
        where b.tenant = its.tenant and b.job_id = its.job_id;
        moved := moved || jsonb_build_array(jsonb_build_object(
            'tenant', its.tenant, 'job_id', its.job_id, 'options', told));
    end loop;

    update jobcore.admissions a
    set runner_type = $2
    from jsonb_to_recordset(moved) as m (tenant uuid, job_id uuid)
    where a.tenant = m.tenant and a.job_id = m.job_id;
    execute format('select %s($1)', admit)
    using (
        select coalesce(jsonb_agg(m.element || jsonb_build_object('since', b.created_at) order by m.ord), '[]')
        from jsonb_array_elements(moved) with ordinality as m (element, ord)
        join public.jobs b
            on b.tenant = (m.element ->> 'tenant')::uuid and b.job_id = (m.element ->> 'job_id')::uuid
        where b.status = 'queued');
    return query select m.tenant, m.job_id from jsonb_to_recordset(moved) as m (tenant uuid, job_id uuid);
end
$$;
