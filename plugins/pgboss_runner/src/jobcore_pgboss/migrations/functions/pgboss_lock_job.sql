-- Hold a job where its state is decided, until the end of the transaction, and tell the state of its queue row: that row,
-- or, where it has none, its row in `jobs`, without which nobody admits it. Null if it is not in the queue.
create or replace function jobcore.pgboss_lock_job(tenant uuid, job_id uuid) returns pgboss.job_state
language plpgsql
as $$
declare
    its_queue text;
    its_state pgboss.job_state;
begin
    select b.queue into its_queue from public.jobs b where b.tenant = $1 and b.job_id = $2;
    for round in 1..100 loop
        select j.state into its_state
        from pgboss.job j
        where j.name = its_queue and j.id = $2 and jobcore.pgboss_tenant(j.group_id, j.data) = $1
        for update;
        if found then
            return its_state;
        end if;
        begin
            perform from public.jobs b where b.tenant = $1 and b.job_id = $2 for no key update;
            if not exists (
                select
                from pgboss.job j
                where j.name = its_queue and j.id = $2 and jobcore.pgboss_tenant(j.group_id, j.data) = $1
            ) then
                return null;
            end if;
            -- It was admitted while we waited for it. Whoever settles it holds the queue row first: so do we, anew.
            raise exception using errcode = 'serialization_failure';
        exception
            when serialization_failure then null;
        end;
    end loop;
    raise exception using
        errcode = 'serialization_failure',
        message = format('job %s entered and left its queue again and again', $2),
        hint = 'Try again.';
end
$$;
