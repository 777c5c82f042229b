-- Let new jobs wait for their admission: those elements of a JSON array, as `job_new` took it, that have an `admission`:
-- {lane, width, gates: [{name, limit?, rate?, burst?, weight?}], after: [{job_id, on_failure}]}.
-- Raises where a job is to wait for one that its tenant does not have.
create or replace function jobcore.admission_add(jobs jsonb) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
    stranger record;
begin
    insert into jobcore.admissions (
        tenant, job_id, type, queue, runner_type, priority, state, ready_at, lane, width, gates)
    select
        b.tenant, b.job_id, b.type, b.queue, b.runner_type, b.priority,
        case
            when b.admission ? 'after' then 'blocked'
            when b.run_at > statement_timestamp() then 'later'
            else 'due'
        end::jobcore.admission_state,
        b.run_at, b.admission ->> 'lane', (b.admission ->> 'width')::integer, b.admission -> 'gates'
    from rows from (jsonb_to_recordset($1) as (id uuid, tenant uuid)) with ordinality as i (id, tenant, ord)
    join public.jobs b on b.tenant = i.tenant and b.job_id = i.id
    where b.admission is not null
    order by i.ord;

    insert into jobcore.dependencies (tenant, parent_id, child_id, on_failure, ended)
    select
        i.tenant, (a.parent ->> 'job_id')::uuid, i.id, a.parent ->> 'on_failure',
        case when p.status in ('completed', 'failed', 'cancelled') then p.status end
    from jsonb_to_recordset($1) as i (id uuid, tenant uuid, admission jsonb)
    cross join lateral jsonb_array_elements(i.admission -> 'after') as a (parent)
    join public.jobs p on p.tenant = i.tenant and p.job_id = (a.parent ->> 'job_id')::uuid
    on conflict do nothing;

    select i.type, a.parent ->> 'job_id' as parent_id into stranger
    from jsonb_to_recordset($1) as i (id uuid, tenant uuid, type text, admission jsonb)
    cross join lateral jsonb_array_elements(i.admission -> 'after') as a (parent)
    where not exists (
        select
        from jobcore.dependencies d
        where d.tenant = i.tenant and d.parent_id = (a.parent ->> 'job_id')::uuid and d.child_id = i.id)
    limit 1;
    if found then
        raise exception using
            errcode = 'foreign_key_violation',
            message = format('job %L is to run after job %s, and its tenant has no such job', stranger.type, stranger.parent_id),
            hint = 'Enqueue that one first, or in the same call before it.';
    end if;

    perform pg_notify('jobcore_admission', '');
end
$$;
