-- Note for whoever waits for them how these jobs ended.
create or replace function jobcore.dependency_ended(tenants uuid[], job_ids uuid[]) returns void
language plpgsql
as $$
begin
    with held as materialized (
        select d.tenant, d.parent_id, d.child_id, b.status
        from unnest($1, $2) as g (tenant, job_id)
        join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
        join jobcore.dependencies d on d.tenant = g.tenant and d.parent_id = g.job_id
        where d.ended is null and not d.settled and b.status in ('completed', 'failed', 'cancelled')
        order by d.tenant, d.parent_id, d.child_id  -- as `admission_release` takes them
        for update of d
    )
    update jobcore.dependencies d
    set ended = h.status
    from held h
    where d.tenant = h.tenant and d.parent_id = h.parent_id and d.child_id = h.child_id;
    if found then
        perform pg_notify('jobcore_admission', '');
    end if;
end
$$;
