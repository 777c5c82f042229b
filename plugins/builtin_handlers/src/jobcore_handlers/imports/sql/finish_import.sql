update billing.import_jobs set status = 'completed', completed_at = now(), error_summary = %(summary)s
where tenant = %(tenant)s and import_job_id = %(import_job)s
