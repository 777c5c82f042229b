select worker_id, runner_type, host, pid, handlers, queues, concurrency, started_at, seen_at, stopping, details
from jobcore.workers
where seen_at >= statement_timestamp() - interval '1 minute'
order by started_at, worker_id
