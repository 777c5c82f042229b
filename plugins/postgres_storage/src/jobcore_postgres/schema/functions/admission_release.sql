-- These jobs with an admission have ended, or are put off and have to be admitted again: what they held is free.
create or replace function jobcore.admission_release(tenants uuid[], job_ids uuid[]) returns void
language plpgsql
as $$
begin
    delete from jobcore.slots s
    using unnest($1, $2) as g (tenant, job_id)
    where s.tenant = g.tenant and s.job_id = g.job_id;

    with held as materialized (
        select d.tenant, d.parent_id, d.child_id
        from unnest($1, $2) as g (tenant, job_id)
        join jobcore.dependencies d on d.tenant = g.tenant and d.child_id = g.job_id
        where not d.settled
        order by d.tenant, d.parent_id, d.child_id  -- as `dependency_ended` takes them
        for update of d
    )
    update jobcore.dependencies d
    set settled = true
    from held h
    where d.tenant = h.tenant and d.parent_id = h.parent_id and d.child_id = h.child_id;

    delete from jobcore.admissions a
    using unnest($1, $2) as g (tenant, job_id)
    where a.tenant = g.tenant and a.job_id = g.job_id;

    insert into jobcore.admissions (
        tenant, job_id, type, queue, runner_type, priority, state, ready_at, lane, width, gates)
    select
        b.tenant, b.job_id, b.type, b.queue, b.runner_type, b.priority,
        case when b.run_at > statement_timestamp() then 'later' else 'due' end::jobcore.admission_state,
        b.run_at, b.admission ->> 'lane', (b.admission ->> 'width')::integer, b.admission -> 'gates'
    from unnest($1, $2) as g (tenant, job_id)
    join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
    where b.status = 'pending';

    perform pg_notify('jobcore_admission', '');
end
$$;
