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
declare
    claimed pgboss.job[];
begin
    if jobcore.pgboss_is_bound($1) then
        select array_agg(c) into claimed from jobcore.pgboss_claim($1, $2, $3, null) c;
    else
        select array_agg(c) into claimed from jobcore.pgboss_claim_rows($1, $2, $3, '-infinity') c;
    end if;
    if claimed is not null then
        return query select * from jobcore.pgboss_tell(claimed, $1);
    end if;
end
$$;
