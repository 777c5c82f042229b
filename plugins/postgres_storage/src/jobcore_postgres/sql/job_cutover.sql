select tenant, job_id, handler, verdict, reason
from jobcore.job_cutover(
    %(source)s, %(target)s, %(handlers)s, %(tenant)s, %(until)s, %(after_tenant)s, %(after_job)s, %(limit)s,
    %(options)s::jsonb, %(note)s::jsonb)
