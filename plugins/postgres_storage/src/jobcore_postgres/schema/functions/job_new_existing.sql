-- Where a new job stands: itself, the job that holds its dedupe key, or the job of its schedule's fire.
create or replace function jobcore.job_new_existing(
    tenant uuid, id uuid, type text, dedupe_key text, schedule_id uuid, fire_time timestamptz
) returns table (job_id uuid, run_at timestamptz)
language sql stable
as $$
    select j.job_id, j.run_at
    from public.jobs j
    where j.tenant = $1 and j.job_id = $2
    union all
    select j.job_id, j.run_at
    from public.jobs j
    where j.tenant = $1 and j.type = $3 and j.held_key = $4
    union all
    select j.job_id, j.run_at
    from public.jobs j
    where j.tenant = $1 and j.schedule_id = $5 and j.fire_time = $6
    limit 1
$$;
