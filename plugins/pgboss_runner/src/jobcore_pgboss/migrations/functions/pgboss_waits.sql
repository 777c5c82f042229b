-- Whether a job has not begun; no worker gets it before the end of this transaction. The queue knows sooner than `jobs`.
create or replace function jobcore.pgboss_waits(tenant uuid, job_id uuid) returns boolean
language plpgsql
as $$
begin
    return coalesce(jobcore.pgboss_lock_job($1, $2) < 'active', true);
end
$$;
