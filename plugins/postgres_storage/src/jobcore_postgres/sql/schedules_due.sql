-- The schedules that are due and that nobody else is firing, with the state of each one's last job.
select tenant, schedule_id, job_id as key, name, handler, pattern, interval_ms, timezone, payload::text as payload, enabled,
    max_attempts, backoff_ms, missed, missed_limit, overlap, jitter_ms, runner_type, anchor, next_fire, last_fire, last_job_id,
    now() as now,
    (select j.status::text from public.jobs j where j.tenant = c.tenant and j.job_id = c.last_job_id) as last_status
from public.cron_jobs c
where c.enabled and c.next_fire <= now()
order by c.next_fire
limit %s
for update skip locked
