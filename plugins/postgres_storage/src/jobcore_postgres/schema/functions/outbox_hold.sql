-- Let a job that a pause holds up wait for its admission, under a raised epoch: its engine has been told of this one.
create or replace function jobcore.outbox_hold(tenant uuid, job_id uuid) returns void
language plpgsql
as $$
#variable_conflict use_column
begin
    update public.jobs b
    set status = 'pending',
        epoch = b.epoch + 1,
        admission = coalesce(b.admission, '{"lane": "free", "width": 500, "gates": []}')
            || jsonb_build_object('engine', (
                select o.options
                from jobcore.outbox o
                where o.tenant = $1 and o.job_id = $2 and o.epoch = b.epoch)),
        updated_at = statement_timestamp()
    where b.tenant = $1 and b.job_id = $2;
    delete from jobcore.outbox o where o.tenant = $1 and o.job_id = $2 and o.state <> 'ending';
    perform jobcore.admission_release(array[$1], array[$2]);
end
$$;
