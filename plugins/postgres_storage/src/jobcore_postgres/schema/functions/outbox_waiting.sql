-- How many jobs of tenants wait for engines outside, also for a retry: those whose run has not been claimed.
create or replace function jobcore.outbox_waiting(tenants uuid[]) returns table (tenant uuid, waiting bigint)
language sql stable
as $$
    select o.tenant, count(*)
    from jobcore.outbox o
    join public.jobs b on b.tenant = o.tenant and b.job_id = o.job_id and b.epoch = o.epoch
    where o.tenant = any ($1) and o.state <> 'ending' and b.status = 'queued'
    group by o.tenant
$$;
