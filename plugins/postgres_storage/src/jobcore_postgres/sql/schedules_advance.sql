update public.cron_jobs c
set next_fire = a.next_fire,
    last_fire = coalesce(a.last_fire, c.last_fire),
    last_job_id = coalesce(a.last_job_id, c.last_job_id),
    updated_at = now()
from jsonb_to_recordset(%s::jsonb) as a (
    tenant uuid, schedule_id uuid, next_fire timestamptz, last_fire timestamptz, last_job_id uuid)
where c.tenant = a.tenant and c.schedule_id = a.schedule_id
