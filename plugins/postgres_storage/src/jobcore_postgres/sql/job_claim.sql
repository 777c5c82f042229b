select ord, granted from jobcore.job_claim(%s::jsonb, %s)
