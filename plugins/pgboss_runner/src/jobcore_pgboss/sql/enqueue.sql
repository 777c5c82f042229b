select ord, job_id, inserted from jobcore.pgboss_enqueue(%b::jsonb)
