select jobcore.job_detail(%s, %s, %s, %s, %s, %s::jsonb, %s::jsonb)
