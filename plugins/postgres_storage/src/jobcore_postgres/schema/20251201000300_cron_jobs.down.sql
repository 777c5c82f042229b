drop table public.cron_jobs;
