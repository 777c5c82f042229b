select applied from jobcore.pgboss_settle(%b::jsonb) order by ord
