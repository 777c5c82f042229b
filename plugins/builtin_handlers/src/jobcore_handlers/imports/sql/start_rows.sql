update billing.import_jobs set status = 'processing', total_rows = %(total)s
where tenant = %(tenant)s and import_job_id = %(import_job)s
