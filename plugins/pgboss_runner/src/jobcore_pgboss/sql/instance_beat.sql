-- Keep a worker's row in pg-boss's registry, since version 44; make it again if it was pruned meanwhile.
insert into pgboss.instance as i (
    id, name, host, pid, version, node_version, application_name, heartbeat_seconds, supervise, schedule, migrate,
    persist_queue_stats, persist_warnings, workers, config, started_on, heartbeat_on)
values (
    %b::uuid, 'jobcore', %b::text, %b::int4, %b::text, %b::text, current_setting('application_name'), %b::int4,
    %b::bool, %b::bool, false, false, %b::bool, %b::jsonb, %b::jsonb,
    coalesce(%b::timestamptz, pgboss.job_now()), pgboss.job_now())
on conflict (id) do update
set workers = excluded.workers, heartbeat_on = excluded.heartbeat_on, stopped_on = null
returning started_on
