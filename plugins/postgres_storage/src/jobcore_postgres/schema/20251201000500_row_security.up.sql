-- The engine sees every tenant; everybody else sees the tenant that the transaction is set to, and writes only through
-- the functions that check it. Forced, so that the owner is held to it as well.
create function jobcore.current_tenant() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('jobcore.tenant', true), '')::uuid $$;
comment on function jobcore.current_tenant() is
    'The tenant of this transaction: set_config(''jobcore.tenant'', ..., true). Null, and so no rows, if none is set.';
revoke execute on function jobcore.current_tenant() from public;
grant execute on function jobcore.current_tenant() to jobcore_worker, jobcore_tenant;

alter table public.jobs enable row level security;
alter table public.jobs force row level security;
create policy jobs_engine on public.jobs to jobcore_worker, jobcore_owner using (true) with check (true);
create policy jobs_tenant on public.jobs for select to jobcore_tenant using (tenant = jobcore.current_tenant());

alter table public.job_details enable row level security;
alter table public.job_details force row level security;
create policy job_details_engine on public.job_details to jobcore_worker, jobcore_owner using (true) with check (true);
create policy job_details_tenant on public.job_details for select to jobcore_tenant
    using (tenant = jobcore.current_tenant());

alter table public.cron_jobs enable row level security;
alter table public.cron_jobs force row level security;
create policy cron_jobs_engine on public.cron_jobs to jobcore_worker, jobcore_owner using (true) with check (true);
create policy cron_jobs_tenant on public.cron_jobs for select to jobcore_tenant
    using (tenant = jobcore.current_tenant());

grant usage on schema jobcore to jobcore_worker, jobcore_tenant;
grant select, insert, update, delete on public.jobs, public.job_details, public.cron_jobs to jobcore_worker;
grant select, insert, update, delete on jobcore.workers to jobcore_worker;
grant select on jobcore.migrations to jobcore_worker, jobcore_tenant;
grant select on public.jobs, public.job_details, public.cron_jobs to jobcore_tenant;
