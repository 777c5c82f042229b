select false, v.cron_on, null::float8, pgboss.job_now() from pgboss.version v
