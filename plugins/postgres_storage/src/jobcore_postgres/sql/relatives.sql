select relative, after from jobcore.job_relatives(%s::uuid, %s::uuid, %s::integer)
