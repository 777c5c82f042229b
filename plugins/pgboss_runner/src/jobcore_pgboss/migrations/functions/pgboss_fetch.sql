-- Claim up to `lim` due jobs of these queues; the answer is that of `pgboss_tell`.
create or replace function jobcore.pgboss_fetch(queues text[], lim integer, lease_seconds integer)
returns table (
    queue text, job_id uuid, tenant uuid, type text, payload bytea, retry_count integer, started_us bigint,
    max_attempts integer, priority integer, created_on timestamptz, stop jsonb, retry_delay_ms bigint,
    next_delay_ms bigint
)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
begin
    return query select * from jobcore.pgboss_tell(jobcore.pgboss_take($1, $2, $3, null, null), $1);
end
$$;
