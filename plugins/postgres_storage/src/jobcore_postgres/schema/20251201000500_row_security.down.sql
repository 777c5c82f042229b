revoke all on public.jobs, public.job_details, public.cron_jobs, jobcore.workers, jobcore.migrations
    from jobcore_worker, jobcore_tenant;
revoke usage on schema jobcore from jobcore_worker, jobcore_tenant;

drop policy cron_jobs_tenant on public.cron_jobs;
drop policy cron_jobs_engine on public.cron_jobs;
alter table public.cron_jobs no force row level security;
alter table public.cron_jobs disable row level security;

drop policy job_details_tenant on public.job_details;
drop policy job_details_engine on public.job_details;
alter table public.job_details no force row level security;
alter table public.job_details disable row level security;

drop policy jobs_tenant on public.jobs;
drop policy jobs_engine on public.jobs;
alter table public.jobs no force row level security;
alter table public.jobs disable row level security;

drop function jobcore.current_tenant();
