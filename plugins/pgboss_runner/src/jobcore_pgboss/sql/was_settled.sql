select settled from jobcore.pgboss_was_settled(%b::jsonb) order by ord
