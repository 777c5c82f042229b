-- How many schedules name an engine, and how many name none, by handler; of one tenant, or of all.
select handler,
    count(*) filter (where runner_type = %(source)s) as named,
    count(*) filter (where runner_type is null) as following
from public.cron_jobs
where (runner_type = %(source)s or runner_type is null)
    and (%(tenant)s::uuid is null or tenant = %(tenant)s)
group by handler
order by handler
