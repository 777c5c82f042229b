select tenant, job_id from jobcore.job_move(%s::jsonb, %s, %s::jsonb)
