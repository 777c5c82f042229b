select naptime_seconds, rest_until from jobcore.pgboss_monitor_rest(%b::float8)
