-- Refuse a new schedule beyond its tenant's quota; whoever puts another one of the tenant waits. Replacing one is allowed.
create or replace function jobcore.quota_schedule(tenant uuid, key text) returns void
language plpgsql
as $$
declare
    most bigint;
    has bigint;
begin
    select q.schedules into most from jobcore.quota_of($1) q;
    if most is null then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('jobcore schedules of ' || $1, 0));
    if exists (select from public.cron_jobs c where c.tenant = $1 and c.job_id = $2) then
        return;
    end if;
    select count(*) into has from public.cron_jobs c where c.tenant = $1;
    if has >= most then
        perform jobcore.quota_refuse($1, 'schedules', most, has, 1, null);
    end if;
end
$$;
