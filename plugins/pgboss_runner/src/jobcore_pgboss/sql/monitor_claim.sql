select queue, table_name, refresh from jobcore.pgboss_monitor_claim(%b::float8, %b::int4)
