update public.cron_jobs
set enabled = %(enabled)s, next_fire = %(next_fire)s, updated_at = now()
where tenant = %(tenant)s and job_id = %(key)s
