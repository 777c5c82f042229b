-- Whether a job has not begun; no worker gets it before the end of this transaction. The queue knows sooner than `jobs`.
create or replace function jobcore.pgboss_waits(tenant uuid, job_id uuid) returns boolean
language plpgsql
as $$
declare
    its_queue text;
    its_state pgboss.job_state;
begin
    select b.queue into its_queue from public.jobs b where b.tenant = $1 and b.job_id = $2;
    select j.state into its_state from pgboss.job j where j.name = its_queue and j.id = $2 for update;
    return coalesce(its_state < 'active', true);
end
$$;
