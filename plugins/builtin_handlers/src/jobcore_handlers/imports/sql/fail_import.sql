-- A run that lost the import to another leaves its state alone.
update billing.import_jobs set status = 'failed', completed_at = now(), error = %(error)s
where
    tenant = %(tenant)s and import_job_id = %(import_job)s and status in ('validating', 'processing')
    and run_job_id = %(job)s and run_attempt = %(attempt)s
