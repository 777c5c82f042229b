update billing.import_jobs set
    status = 'validating', error = null, run_job_id = %(job)s, run_attempt = %(attempt)s,
    started_at = coalesce(started_at, now()), completed_at = null
where tenant = %(tenant)s and import_job_id = %(import_job)s
