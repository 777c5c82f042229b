select jobcore.job_prune_count(%s, %s, %s)
