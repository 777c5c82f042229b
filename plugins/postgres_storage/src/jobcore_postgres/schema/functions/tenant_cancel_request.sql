-- `job_cancel_request` for a caller who sees one tenant: a job of another is as if it did not exist.
create or replace function jobcore.tenant_cancel_request(job_id uuid, reason text, cancelled_by text) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform jobcore.tenant_guard('[]');
    return jobcore.job_cancel_request(jobcore.current_tenant(), $1, $2, $3);
end
$$;
