insert into billing.import_job_items (
    tenant, import_job_id, row_number, status, asset_id, matched_by, likeness, errors, source_data
)
values (
    %(tenant)s, %(import_job)s, %(row)s, %(status)s, %(asset)s, %(matched_by)s, %(likeness)s, %(errors)s,
    %(source_data)s
)
