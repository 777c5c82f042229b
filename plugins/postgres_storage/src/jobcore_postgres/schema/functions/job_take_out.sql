-- Take a job that has not begun out of its engine, and hold it until the end of the transaction. Answers what the engine was
-- told of it beside its row; null, and nothing was done, if it has begun or ended, or if its engine keeps it.
create or replace function jobcore.job_take_out(tenant uuid, job_id uuid) returns jsonb
language plpgsql
as $$
#variable_conflict use_column
declare
    its_runner text;
    leave text;
    told jsonb;
begin
    select b.runner_type, e.leave into its_runner, leave
    from public.jobs b
    join jobcore.engines e on e.runner_type = b.runner_type
    where b.tenant = $1 and b.job_id = $2;
    if leave is null or not jobcore.job_waits($1, $2, its_runner) then
        return null;
    end if;
    perform
    from public.jobs b
    where b.tenant = $1 and b.job_id = $2 and b.runner_type = its_runner and b.status in ('pending', 'queued')
    for no key update;
    if not found then
        return null;
    end if;
    execute format('select %s($1, $2)', leave) into told using $1, $2;
    return told;
end
$$;
