select queue, key, job_id, problem from jobcore.pgboss_cron_forward(%b::int4)
