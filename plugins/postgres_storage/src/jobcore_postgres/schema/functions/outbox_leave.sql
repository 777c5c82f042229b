-- Take a job out of the outbox, for it has ended or is another engine's now; answers what its engine was told of it. An engine
-- that has been told of the job, or may have been, is told of this too.
create or replace function jobcore.outbox_leave(tenant uuid, job_id uuid) returns jsonb
language plpgsql
as $$
#variable_conflict use_column
declare
    told jsonb;
begin
    delete from jobcore.outbox o
    where o.tenant = $1 and o.job_id = $2 and o.state = 'due' and o.tries = 0
    returning o.options into told;
    if found then
        return coalesce(told, '{}');
    end if;
    update jobcore.outbox o
    set state = 'ending',
        try_at = statement_timestamp(),
        tries = 0
    where o.tenant = $1 and o.job_id = $2 and o.state <> 'ending'
    returning o.options into told;
    if found then
        perform pg_notify('jobcore_outbox', b.runner_type)
        from public.jobs b
        where b.tenant = $1 and b.job_id = $2;
    end if;
    return coalesce(told, '{}');
end
$$;
