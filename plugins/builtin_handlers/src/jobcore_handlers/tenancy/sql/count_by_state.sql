-- How the jobs of a fan-out stand. One that is not there any more had ended: nothing else is ever deleted.
select
    count(*) filter (where j.status = 'completed') as completed,
    count(*) filter (where j.status = 'failed') as failed,
    count(*) filter (where j.status = 'cancelled') as cancelled,
    count(*) filter (where j.job_id is null) as unknown,
    count(*) filter (where j.status not in ('completed', 'failed', 'cancelled')) as unended,
    coalesce(array_agg(c.tenant order by c.tenant) filter (where j.status = 'failed'), '{}') as failed_tenants
from unnest(%(tenants)s::uuid[], %(jobs)s::uuid[]) as c (tenant, job_id)
left join public.jobs as j on j.tenant = c.tenant and j.job_id = c.job_id
