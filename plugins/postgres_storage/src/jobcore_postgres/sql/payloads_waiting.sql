-- A page of the jobs that have not begun, by their key, from the nil key on; the condition on the key stands alone, so that
-- a plan for any page begins there. A job without a payload has null.
select tenant, job_id, type as handler, convert_to(coalesce(payload, 'null')::text, 'UTF8') as payload
from public.jobs
where (tenant, job_id) > (%(tenant)s::uuid, %(job_id)s::uuid)
    and status in ('pending', 'queued')
    and type = any (%(handlers)s)
order by tenant, job_id
limit %(limit)s
