select j.tenant, j.job_id
from unnest(%(tenants)s::uuid[], %(jobs)s::uuid[]) as c (tenant, job_id)
join public.jobs as j on j.tenant = c.tenant and j.job_id = c.job_id
where j.status not in ('completed', 'failed', 'cancelled')
order by j.tenant
