-- The stored steps of a job.
create or replace function jobcore.job_steps(tenant uuid, job_id uuid) returns table (key text, result jsonb)
language sql stable
as $$
    select substr(d.slot, length('step:') + 1), d.result
    from public.job_details d
    where d.tenant = $1 and d.job_id = $2 and d.slot like 'step:%'
    order by d.processed_at
$$;
