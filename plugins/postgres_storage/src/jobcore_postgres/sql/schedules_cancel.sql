-- Ask the jobs of schedules to stop, because they fired again; in one order for all who do.
select jobcore.job_cancel_request(c.tenant, c.job_id, c.reason, 'schedule')
from jsonb_to_recordset(%s::jsonb) as c (tenant uuid, job_id uuid, reason text)
order by c.tenant, c.job_id
