-- Queues that a live worker of ours serves: its rescuer looks after them.
select distinct unnest(w.queues)
from jobcore.workers w
where w.seen_at >= statement_timestamp() - interval '1 minute' and w.runner_type = 'pgboss'
