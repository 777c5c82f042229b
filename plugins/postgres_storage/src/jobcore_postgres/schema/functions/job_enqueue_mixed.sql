-- Enqueue jobs of which some have an `on_conflict`, by their engine's own function: the others first, which may be their parents.
-- Their keys are locked first; then what they may displace, in the order of ids, as whoever settles jobs locks them.
create or replace function jobcore.job_enqueue_mixed(jobs jsonb, enqueue text)
returns table (ord integer, job_id uuid, inserted boolean)
language plpgsql
as $$
#variable_conflict use_column
declare
    plain_ords integer[];
    plain_jobs jsonb;
    answers jsonb := '[]';
    keyed record;
begin
    perform jobcore.job_lock_keys($1);

    select array_agg(e.ord order by e.ord), jsonb_agg(e.element order by e.ord)
    into plain_ords, plain_jobs
    from jsonb_array_elements($1) with ordinality as e (element, ord)
    where not e.element ? 'on_conflict';
    if plain_jobs is not null then
        execute format(
            'select jsonb_agg(jsonb_build_object(''ord'', $2[n.ord], ''job_id'', n.job_id, ''inserted'', n.inserted)) '
            'from %s($1) n', $2)
        into answers
        using plain_jobs, plain_ords;
    end if;

    perform jobcore.job_waits(d.tenant, d.job_id, d.runner_type)
    from (
        select b.tenant, b.job_id, b.runner_type
        from jsonb_to_recordset($1) as i (tenant uuid, type text, dedupe_key text, on_conflict text)
        join public.jobs b on b.tenant = i.tenant and b.type = i.type and b.held_key = i.dedupe_key
        where i.on_conflict is not null
        order by b.job_id
    ) d;

    for keyed in
        select e.ord, e.element
        from jsonb_array_elements($1) with ordinality as e (element, ord)
        where e.element ? 'on_conflict'
        order by e.element ->> 'tenant', e.element ->> 'type', e.element ->> 'dedupe_key', e.ord
    loop
        select answers || jsonb_build_array(jsonb_build_object('ord', keyed.ord, 'job_id', k.job_id, 'inserted', k.inserted))
        into answers
        from jobcore.job_enqueue_keyed(keyed.element, $2) k;
    end loop;

    return query
        select a.ord, a.job_id, a.inserted
        from jsonb_to_recordset(answers) as a (ord integer, job_id uuid, inserted boolean)
        order by a.ord;
end
$$;
