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
begin
    return query select * from jobcore.pgboss_tell(jobcore.pgboss_take($1, $2, $3, $4, null), $1);
end
$$;
