select exists (
    select
    from public.jobs
    where tenant = %s and job_id = %s and lease_token = %s and status in ('active', 'processing'))
