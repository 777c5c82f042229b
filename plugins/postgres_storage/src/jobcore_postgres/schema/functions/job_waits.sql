-- Whether a job has not begun, as its engine knows; it does not begin before the end of this transaction.
create or replace function jobcore.job_waits(tenant uuid, job_id uuid, runner_type text) returns boolean
language plpgsql
as $$
declare
    answer boolean;
begin
    execute format('select %s($1, $2)', (select e.waits from jobcore.engines e where e.runner_type = $3))
    into answer
    using $1, $2;
    return answer;
end
$$;
