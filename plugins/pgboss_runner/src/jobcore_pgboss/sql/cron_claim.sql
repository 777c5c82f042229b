select claimed, last_on, age, now_on from jobcore.pgboss_cron_claim(%b::float8)
