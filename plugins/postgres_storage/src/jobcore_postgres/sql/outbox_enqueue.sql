select ord, job_id, inserted from jobcore.outbox_enqueue(%s::jsonb) order by ord
