select array(select job_id from public.cron_jobs where tenant = %s order by job_id)
