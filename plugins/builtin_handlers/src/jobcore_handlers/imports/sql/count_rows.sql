update billing.import_jobs set
    last_row = %(last_row)s, processed_rows = processed_rows + %(processed)s, created_rows = created_rows + %(created)s,
    duplicate_rows = duplicate_rows + %(duplicate)s, error_rows = error_rows + %(error)s
where tenant = %(tenant)s and import_job_id = %(import_job)s
