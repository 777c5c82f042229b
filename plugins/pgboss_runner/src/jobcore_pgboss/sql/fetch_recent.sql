select
    queue, job_id, tenant, type, payload, retry_count, started_us, max_attempts, priority, created_on, stop,
    retry_delay_ms, next_delay_ms
from jobcore.pgboss_fetch_recent(%b::text[], %b::int4, %b::int4, %b::float8)
