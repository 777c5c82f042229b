select held, cancel_requested from jobcore.pgboss_heartbeat(%b::jsonb, %b::bool) order by ord
