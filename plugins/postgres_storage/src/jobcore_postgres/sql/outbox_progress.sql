select jobcore.job_progress(b.tenant, b.job_id, b.lease_token, %(percent)s, %(message)s)
from public.jobs b
where b.tenant = %(tenant)s and b.job_id = %(job_id)s and b.lease_token is not null
