delete from public.cron_jobs where tenant = %s and job_id = %s
