-- Whether a job has not begun; it does not begin before the end of this transaction, for a claim needs its row.
create or replace function jobcore.outbox_waits(tenant uuid, job_id uuid) returns boolean
language plpgsql
as $$
#variable_conflict use_column
declare
    its_status public.job_status;
begin
    select b.status into its_status
    from public.jobs b
    where b.tenant = $1 and b.job_id = $2
    for no key update;
    return its_status in ('pending', 'queued');
end
$$;
