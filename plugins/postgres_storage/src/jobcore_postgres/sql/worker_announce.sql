insert into jobcore.workers as w (
    worker_id, runner_type, host, pid, handlers, queues, concurrency, started_at, seen_at, stopping, details)
values (
    %(worker_id)s, %(runner_type)s, %(host)s, %(pid)s, %(handlers)s, %(queues)s, %(concurrency)s,
    coalesce(%(started_at)s::timestamptz, statement_timestamp()), statement_timestamp(), %(stopping)s, %(details)s::jsonb)
on conflict (worker_id) do update
set handlers = excluded.handlers,
    queues = excluded.queues,
    concurrency = excluded.concurrency,
    started_at = coalesce(%(started_at)s::timestamptz, w.started_at),
    seen_at = excluded.seen_at,
    stopping = excluded.stopping,
    details = excluded.details
