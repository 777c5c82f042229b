select status::text from public.jobs where tenant = %(tenant)s and job_id = %(job_id)s
