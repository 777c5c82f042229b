-- `pgboss_fetch` with limits for groups: {queue: {default: n, tiers: {tier: n}}}.
create or replace function jobcore.pgboss_fetch_limited(
    queues text[], lim integer, lease_seconds integer, group_limits jsonb
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
    return query select * from jobcore.pgboss_tell(jobcore.pgboss_take($1, $2, $3, null, $4), $1);
end
$$;
