-- Plan a job on a connection of the application's: as the engine if its role may, else as the one tenant that it is set to.
create or replace function jobcore.flow_plan_tenant_or_engine(job jsonb) returns jsonb
language plpgsql stable
as $$
begin
    if pg_has_role(current_user, 'jobcore_worker', 'usage') then
        return jobcore.flow_plan($1);
    end if;
    return jobcore.tenant_flow_plan($1);
end
$$;
