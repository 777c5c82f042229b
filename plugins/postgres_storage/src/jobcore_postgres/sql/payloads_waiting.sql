-- A page of the jobs that have not begun, by their key; one without a payload has an empty one.
select tenant, job_id, type as handler, convert_to(coalesce(payload, 'null')::text, 'UTF8') as payload
from public.jobs
where status in ('pending', 'queued')
    and type = any (%(handlers)s)
    and (%(tenant)s::uuid is null or (tenant, job_id) > (%(tenant)s::uuid, %(job_id)s::uuid))
order by tenant, job_id
limit %(limit)s
