select queue, queued, warn_above, seconds from jobcore.pgboss_monitor_count(%b::text[])
