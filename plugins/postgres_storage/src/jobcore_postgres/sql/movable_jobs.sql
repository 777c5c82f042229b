-- How many jobs of an engine have not begun, and how many run, by handler; of one tenant, or of all.
select type as handler,
    count(*) filter (where status in ('pending', 'queued')) as waiting,
    count(*) filter (where status in ('active', 'processing')) as running
from public.jobs
where runner_type = %(source)s
    and status in ('pending', 'queued', 'active', 'processing')
    and (%(tenant)s::uuid is null or tenant = %(tenant)s)
group by type
order by type
