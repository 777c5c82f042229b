-- Let schedules of these handlers name another engine, but for those that are being fired or changed right now.
update public.cron_jobs c
set runner_type = %(target)s
from (
    select k.tenant, k.job_id
    from public.cron_jobs k
    where k.runner_type = %(source)s
        and k.handler = any (%(handlers)s)
        and (%(tenant)s::uuid is null or k.tenant = %(tenant)s)
    order by k.tenant, k.job_id
    limit %(limit)s
    for no key update skip locked
) k
where c.tenant = k.tenant and c.job_id = k.job_id
returning c.handler
