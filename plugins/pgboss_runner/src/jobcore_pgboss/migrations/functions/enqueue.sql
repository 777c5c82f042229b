-- Enqueue one job, for triggers and scripts; return its id, or that of the job that stood for it already.
-- `data` is the payload and names the tenant as tenantId, unless options does as tenant. Further options: delay (seconds) or
-- run_at, priority, max_attempts, dedupe_key, on_conflict, window (seconds), after (an array of ids), on_parent_failure, tier,
-- job_id, user_id, metadata, and queue and runner, if these are not the handler's own. The job runs where the handler's workers
-- announced, and its limits hold as they did; what nobody announced runs on pgboss.
create or replace function jobcore.enqueue(name text, data jsonb, options jsonb default '{}') returns uuid
language plpgsql
as $$
#variable_conflict use_column
declare
    payload constant jsonb := jobcore.tenant_payload($1, $2, $3 ->> 'tenant');
    wanted jsonb := jobcore.tenant_options($1, $3) || jsonb_build_object(
        'tenant', case when payload ->> 'tenantId' = 'system'
            then '00000000-0000-0000-0000-000000000000' else payload ->> 'tenantId' end,
        'payload', payload,
        'status', 'queued');
    accepted uuid;
begin
    wanted := '{"runner_type": "pgboss"}' || jobcore.flow_plan_tenant_or_engine(wanted);
    if wanted ->> 'runner_type' = 'pgboss' then
        select e.job_id into accepted
        from jobcore.pgboss_enqueue_tenant_or_engine(jsonb_build_array(wanted - 'options')) e;
    else
        select e.job_id into accepted from jobcore.outbox_enqueue_tenant_or_engine(jsonb_build_array(wanted)) e;
    end if;
    return accepted;
end
$$;

grant execute on function jobcore.enqueue(text, jsonb, jsonb) to jobcore_tenant;
