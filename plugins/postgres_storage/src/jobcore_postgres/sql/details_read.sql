select tenant, detail_id, job_id, step_name, status, result, processed_at, coalesce(retry_count, 0) as retry_count, metadata
from public.job_details
where tenant = %(tenant)s and job_id = %(job_id)s
order by processed_at, detail_id
