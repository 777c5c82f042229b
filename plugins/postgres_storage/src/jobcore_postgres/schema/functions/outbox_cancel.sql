-- Cancel a job that has not ended: a waiting one at once, a running one by asking its worker. With an epoch, only while the job
-- is of that. False if it had ended, or has been moved to an engine with a function of its own.
create or replace function jobcore.outbox_cancel(
    tenant uuid, job_id uuid, reason text, cancelled_by text, its_epoch integer default null
) returns boolean
language plpgsql
as $$
#variable_conflict use_column
declare
    cancelled boolean;
    waits constant boolean := jobcore.outbox_waits($1, $2);
begin
    if not exists (
        select
        from public.jobs b
        join jobcore.engines e on e.runner_type = b.runner_type
        where b.tenant = $1 and b.job_id = $2 and ($5 is null or b.epoch = $5) and e.cancel = 'jobcore.outbox_cancel'
    ) then
        return false;
    end if;
    if not waits then
        update jobcore.outbox o  -- its run may have no worker that hears of it
        set try_at = statement_timestamp()
        where o.tenant = $1 and o.job_id = $2 and o.state = 'handed';
        return jobcore.job_cancel_request($1, $2, $3, $4);
    end if;
    select s.applied into cancelled
    from jobcore.job_settle(jsonb_build_array(jsonb_build_object(
        'tenant', $1, 'job_id', $2, 'outcome', 'cancelled',
        'error', jsonb_build_object('reason', $3, 'cancelled_by', $4)))) s;
    perform jobcore.outbox_leave($1, $2);
    return coalesce(cancelled, false);
end
$$;
