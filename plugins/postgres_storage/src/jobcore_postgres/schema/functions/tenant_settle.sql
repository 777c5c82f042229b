-- `job_settle` for a caller who sees one tenant. It has to show the lease: each element names its token and attempt.
create or replace function jobcore.tenant_settle(settlements jsonb)
returns table (ord integer, applied boolean, follow text, run_at timestamptz, max_attempts integer)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform jobcore.tenant_guard($1);
    perform jobcore.lease_guard($1);
    return query select * from jobcore.job_settle($1);
end
$$;
