-- Cancel a job that has not ended: a waiting one at once, a running one by asking its worker. False if it had ended, or has
-- been moved to another engine.
create or replace function jobcore.pgboss_cancel(tenant uuid, job_id uuid, reason text, cancelled_by text)
returns boolean
language plpgsql
as $$
#variable_conflict use_column
declare
    its_queue text;
    its_state constant pgboss.job_state := jobcore.pgboss_lock_job($1, $2);
    cancelled boolean;
begin
    if not exists (
        select from public.jobs b where b.tenant = $1 and b.job_id = $2 and b.runner_type = 'pgboss'
    ) then
        return false;
    end if;
    if its_state = 'active' then
        return jobcore.job_cancel_request($1, $2, $3, $4);
    elsif its_state > 'active' then
        return false;
    end if;

    select s.applied
    into cancelled
    from jobcore.job_settle(jsonb_build_array(jsonb_build_object(
        'tenant', $1, 'job_id', $2, 'outcome', 'cancelled',
        'error', jsonb_build_object('reason', $3, 'cancelled_by', $4)))) s;
    if cancelled then
        select b.queue into its_queue from public.jobs b where b.tenant = $1 and b.job_id = $2;
        delete from pgboss.job j
        using jobcore.pgboss_queues o
        where j.name = its_queue
            and j.id = $2
            and jobcore.pgboss_tenant(j.group_id, j.data) = $1
            and j.singleton_on is null
            and not j.blocking
            and o.name = j.name
            and o.delete_ended;
        update pgboss.job j
        set state = 'cancelled', completed_on = pgboss.job_now()
        where j.name = its_queue and j.id = $2 and jobcore.pgboss_tenant(j.group_id, j.data) = $1;
    end if;
    return coalesce(cancelled, false);
end
$$;
