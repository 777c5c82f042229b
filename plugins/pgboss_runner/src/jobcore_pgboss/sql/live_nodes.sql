-- Whether an instance of Node that fires schedules is alive: its version of the language begins with a v, ours does not.
select exists (
    select
    from pgboss.instance i
    where i.stopped_on is null
        and i.schedule
        and starts_with(i.node_version, 'v')
        and i.heartbeat_on > pgboss.job_now() - 3 * i.heartbeat_seconds * interval '1 second')
