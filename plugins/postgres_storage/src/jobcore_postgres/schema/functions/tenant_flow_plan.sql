-- `flow_plan` for a caller who sees one tenant, and no worker.
create or replace function jobcore.tenant_flow_plan(job jsonb) returns jsonb
language plpgsql stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform jobcore.tenant_guard(jsonb_build_array($1));
    return jobcore.flow_plan($1);
end
$$;
