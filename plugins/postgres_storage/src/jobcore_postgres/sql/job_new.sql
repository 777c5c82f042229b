select * from jobcore.job_new(%s::jsonb)
