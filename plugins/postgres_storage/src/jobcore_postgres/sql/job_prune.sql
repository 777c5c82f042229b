select jobs, details, seen_to::text as seen_to, more from jobcore.job_prune(%s, %s, %s, %s::timestamptz, %s, %s)
