select
    i.status, i.context, i.import_source_id, i.last_row, i.processed_rows, i.total_rows, i.created_rows,
    i.duplicate_rows, i.error_rows, i.error_summary, i.run_job_id, i.run_attempt, s.field_mapping, s.default_client_id
from billing.import_jobs as i
join billing.import_sources as s using (tenant, import_source_id)
where i.tenant = %(tenant)s and i.import_job_id = %(import_job)s
for update of i
