select key, result::text from jobcore.job_steps(%s, %s)
