-- Whether something that has not ended needs the row of this job: a child of it, or a job that waits for its end.
create or replace function jobcore.job_is_needed(tenant uuid, job_id uuid) returns boolean
language sql stable
cost 1000
as $$
    select exists (
        select from public.jobs child
        where child.tenant = $1
            and child.parent_job_id = $2
            and child.status in ('pending', 'queued', 'active', 'processing'))
        or exists (
            select from jobcore.dependencies d where d.tenant = $1 and d.parent_id = $2 and not d.settled);
$$;
