-- An operator's retry: a failed or cancelled job is queued again under a raised epoch, its attempts renewed. One with an
-- admission waits for it first. False if the job has not failed or been cancelled, or is an engine's
-- with a function of its own.
create or replace function jobcore.outbox_retry(tenant uuid, job_id uuid) returns boolean
language plpgsql
as $$
#variable_conflict use_column
declare
    job public.jobs;
begin
    perform from public.jobs b where b.tenant = $1 and b.job_id = $2 for no key update;
    if not exists (
        select
        from public.jobs b
        join jobcore.engines e on e.runner_type = b.runner_type
        where b.tenant = $1 and b.job_id = $2 and e.cancel = 'jobcore.outbox_cancel'
    ) then
        return false;
    end if;
    select r.* into job from jobcore.job_requeue($1, array[$2]) r;
    if job.job_id is null then
        return false;
    end if;
    if job.status = 'queued' then
        perform jobcore.outbox_admit(jsonb_build_array(jsonb_build_object('tenant', $1, 'job_id', $2)));
    end if;
    return true;
end
$$;
