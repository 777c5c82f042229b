select ord, job_id, inserted from jobcore.pgboss_enqueue_tenant_or_engine(%b::jsonb)
