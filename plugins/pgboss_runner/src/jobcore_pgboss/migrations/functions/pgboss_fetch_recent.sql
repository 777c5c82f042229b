-- `pgboss_fetch` of the jobs created in the last `seconds` only, for a worker that took all older ones before: it passes by
-- the index entries of their dead rows, which stay as long as some old transaction may look at them.
create or replace function jobcore.pgboss_fetch_recent(
    queues text[], lim integer, lease_seconds integer, seconds double precision
)
returns table (
    queue text, job_id uuid, tenant uuid, type text, payload bytea, retry_count integer, started_us bigint,
    max_attempts integer, priority integer, created_on timestamptz, stop jsonb, retry_delay_ms bigint,
    next_delay_ms bigint
)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
    claimed pgboss.job[];
begin
    if jobcore.pgboss_is_bound($1) then
        return query select * from jobcore.pgboss_fetch($1, $2, $3);
        return;
    end if;
    select array_agg(c) into claimed
    from jobcore.pgboss_claim_rows($1, $2, $3, pgboss.job_now() - $4 * interval '1 second') c;
    if claimed is not null then
        return query select * from jobcore.pgboss_tell(claimed, $1);
    end if;
end
$$;
