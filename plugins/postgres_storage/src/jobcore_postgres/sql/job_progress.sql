select jobcore.job_progress(%s, %s, %s, %s, %s)
