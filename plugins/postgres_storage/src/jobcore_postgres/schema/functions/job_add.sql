-- Record new jobs that differ in their ids, tenants and payloads only: what `job_new` does for jobs without a key, a
-- schedule or a time to wait for. `common` says the rest, in the words of `job_new`; `payloads` is a JSON array, and the
-- arrays are of one length. A job that is here already is a unique violation, and one beyond its tenant's quota a refusal of
-- `quota_guard`: nothing is written then.
create or replace function jobcore.job_add(common jsonb, ids uuid[], tenants uuid[], payloads jsonb) returns void
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
begin
    insert into public.jobs (
        tenant, job_id, type, payload, queue, priority, run_at, max_attempts, allowed_attempts, user_id, metadata,
        parent_job_id, runner_type, status, created_at)
    select
        i.tenant, i.id, c.type, i.payload, c.queue, c.priority, statement_timestamp(), c.max_attempts, c.max_attempts,
        c.user_id, c.metadata, c.parent_job_id, c.runner_type, c.status, statement_timestamp()
    from rows from (unnest($2, $3), jsonb_array_elements($4)) as i (id, tenant, payload)
    cross join jsonb_to_record($1) as c (
        type text, queue text, priority integer, max_attempts integer, user_id uuid, metadata jsonb,
        parent_job_id uuid, runner_type text, status public.job_status);

    if exists (select from jobcore.quotas) then
        perform jobcore.quota_guard($3, '{}');
    end if;
end
$$;
