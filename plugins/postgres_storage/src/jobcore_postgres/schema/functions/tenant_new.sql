-- `job_new` for a caller who sees one tenant.
create or replace function jobcore.tenant_new(jobs jsonb)
returns table (ord integer, job_id uuid, tenant uuid, inserted boolean, run_at timestamptz)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform jobcore.tenant_guard($1);
    return query select * from jobcore.job_new($1);
end
$$;
