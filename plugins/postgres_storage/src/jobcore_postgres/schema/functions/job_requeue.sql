-- An operator's retry: failed and cancelled jobs are queued again with their attempts renewed, under a raised epoch; those
-- with an admission wait for it. Who waits for one of them goes on doing so.
-- Returns the jobs that were. A dedupe key is held again unless another job has taken it meanwhile.
create or replace function jobcore.job_requeue(tenant uuid, job_ids uuid[]) returns setof public.jobs
language plpgsql
as $$
#variable_conflict use_column
declare
    chosen uuid[];
begin
    select array_agg(l.job_id)
    into chosen
    from (
        select j.job_id
        from public.jobs j
        where j.tenant = $1 and j.job_id = any ($2) and j.status in ('failed', 'cancelled')
        order by j.job_id
        for no key update
    ) l;

    update public.jobs j
    set status = case when j.admission is null then 'queued' else 'pending' end::public.job_status,
        epoch = j.epoch + 1,
        max_attempts = j.attempt + j.allowed_attempts,
        rescues = 0,
        run_at = statement_timestamp(),
        completed_at = null,
        error = null,
        progress = null,
        progress_message = null,
        cancel_requested = null,
        lease_token = null,
        updated_at = statement_timestamp()
    where j.tenant = $1 and j.job_id = any (chosen);

    perform jobcore.admission_release(array_agg(j.tenant), array_agg(j.job_id))
    from public.jobs j
    where j.tenant = $1 and j.job_id = any (chosen) and j.admission is not null
    having count(*) > 0;
    update jobcore.dependencies d
    set ended = null
    where d.tenant = $1 and d.parent_id = any (chosen) and d.on_failure = 'wait' and not d.settled;

    perform jobcore.job_hold_key($1, j.job_id)
    from public.jobs j
    where j.tenant = $1 and j.job_id = any (chosen) and j.dedupe_key is not null;

    return query select j.* from public.jobs j where j.tenant = $1 and j.job_id = any (chosen) order by j.job_id;
end
$$;
