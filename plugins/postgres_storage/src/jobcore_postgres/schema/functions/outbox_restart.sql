-- The engine does not know a job that it had been given: hand it over again under a raised epoch, if no run of it has claimed
-- it, and answer `again`; else it is lost, and fails. `gone`: it is not of this epoch any more, or has ended.
create or replace function jobcore.outbox_restart(tenant uuid, job_id uuid, epoch integer, error jsonb) returns text
language plpgsql
as $$
#variable_conflict use_column
declare
    job public.jobs;
    its_options jsonb;
    applied boolean;
begin
    select b.* into job from public.jobs b where b.tenant = $1 and b.job_id = $2 for no key update;
    if job.epoch is distinct from $3 or job.status not in ('queued', 'active', 'processing') then
        return 'gone';
    end if;
    if job.status <> 'queued' or job.attempt > 0 then
        select s.applied into applied
        from jobcore.outbox_settle(jsonb_build_array(jsonb_build_object(
            'tenant', $1, 'job_id', $2, 'epoch', $3, 'outcome', 'failed', 'error', $4))) s;
        return case when applied then 'lost' else 'gone' end;
    end if;
    delete from jobcore.outbox o
    where o.tenant = $1 and o.job_id = $2 and o.epoch = $3
    returning o.options into its_options;
    update public.jobs b
    set epoch = b.epoch + 1,
        updated_at = statement_timestamp()
    where b.tenant = $1 and b.job_id = $2;
    perform jobcore.outbox_admit(jsonb_build_array(jsonb_build_object(
        'tenant', $1, 'job_id', $2, 'options', its_options)));
    return 'again';
end
$$;
