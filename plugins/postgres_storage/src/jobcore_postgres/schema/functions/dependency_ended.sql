-- Note for whoever waits for them how these jobs ended.
create or replace function jobcore.dependency_ended(tenants uuid[], job_ids uuid[]) returns void
language plpgsql
as $$
begin
    update jobcore.dependencies d
    set ended = b.status
    from unnest($1, $2) as g (tenant, job_id)
    join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
    where d.tenant = g.tenant
        and d.parent_id = g.job_id
        and d.ended is null
        and not d.settled
        and b.status in ('completed', 'failed', 'cancelled');
    if found then
        perform pg_notify('jobcore_admission', '');
    end if;
end
$$;
