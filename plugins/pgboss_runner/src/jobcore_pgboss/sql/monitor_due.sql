select queue, table_name, refresh from jobcore.pgboss_monitor_due(%b::text[], %b::float8, %b::int4)
