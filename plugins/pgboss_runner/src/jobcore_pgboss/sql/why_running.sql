-- Who holds a claimed job, since when and until when; the worker is known once it told that the handler runs.
select
    j.started_on as claimed_at,
    j.retry_count + 1 as attempt,
    j.retry_limit + 1 as max_attempts,
    coalesce(
        j.heartbeat_on + j.heartbeat_seconds * interval '1 second',
        j.started_on + j.expire_seconds * interval '1 second') as lease_until,
    coalesce(
        j.heartbeat_on + j.heartbeat_seconds * interval '1 second',
        j.started_on + j.expire_seconds * interval '1 second') < pgboss.job_now() as lease_lost,
    b.worker_id,
    w.host,
    w.pid,
    w.seen_at
from pgboss.job j
left join public.jobs b
    on b.tenant = %(tenant)s and b.job_id = j.id and b.status = 'processing' and b.attempt = j.retry_count + 1
left join jobcore.workers w on w.worker_id = b.worker_id
where j.name = %(queue)s and j.id = %(job_id)s and j.state = 'active'
