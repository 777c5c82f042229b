-- `job_detail` for a caller who sees one tenant. It has to show the lease's token.
create or replace function jobcore.tenant_detail(
    job_id uuid, token text, step_name text, status text, result jsonb, metadata jsonb
) returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform jobcore.tenant_guard('[]');
    if $2 is null then
        raise exception using
            errcode = 'insufficient_privilege',
            message = 'a tenant writes a detail only with the lease: its token is required';
    end if;
    return jobcore.job_detail(jobcore.current_tenant(), $1, $2, $3, $4, $5, $6);
end
$$;
