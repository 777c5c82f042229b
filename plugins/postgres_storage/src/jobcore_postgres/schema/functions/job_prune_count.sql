-- How many jobs a walk of `job_prune` over all of a tenant's jobs would delete now.
create or replace function jobcore.job_prune_count(tenant uuid, state text, keep_ms bigint) returns bigint
language sql stable
as $$
    select count(*)
    from public.jobs j
    where j.tenant = $1
        and j.created_at < statement_timestamp() - $3 * interval '1 millisecond'
        and j.status = $2::public.job_status
        and coalesce(j.completed_at, j.updated_at, j.created_at) < statement_timestamp() - $3 * interval '1 millisecond'
        and not jobcore.job_is_needed(j.tenant, j.job_id);
$$;
