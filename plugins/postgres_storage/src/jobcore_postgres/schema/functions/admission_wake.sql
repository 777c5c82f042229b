-- See which jobs no longer wait for a parent or for their time, at most `lim` of each; with `thorough`, also for parents
-- whose end was told to nobody: of a job that ended while another was made to wait for it. It waits for no lock: whoever holds
-- one, as a cancel does, may want another one that we hold, and what is passed by comes next time.
create or replace function jobcore.admission_wake(lim integer, thorough boolean) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
    abandoned jsonb;
    freed_tenants uuid[];
    freed_ids uuid[];
begin
    if $2 then
        update jobcore.dependencies d
        set ended = p.status
        from (
            select o.tenant, o.parent_id, o.child_id, p.status
            from jobcore.dependencies o
            join public.jobs p on p.tenant = o.tenant and p.job_id = o.parent_id
            where o.ended is null and not o.settled and p.status in ('completed', 'failed', 'cancelled')
            for update of o skip locked
        ) p
        where d.tenant = p.tenant and d.parent_id = p.parent_id and d.child_id = p.child_id;
    end if;

    select jsonb_agg(jsonb_build_object(
        'tenant', d.tenant, 'job_id', d.child_id, 'outcome', 'cancelled',
        'error', jsonb_build_object(
            'reason', format('job %s, after which it was to run, %s', d.parent_id,
                case
                    when not exists (
                        select from public.jobs p where p.tenant = d.tenant and p.job_id = d.parent_id) then 'is no more'
                    when d.ended = 'failed' then 'has failed'
                    else 'was cancelled'
                end))))
    into abandoned
    from (
        select distinct on (d.tenant, d.child_id) d.*
        from jobcore.dependencies d
        where d.ended in ('failed', 'cancelled') and d.on_failure = 'cancel' and not d.settled
        order by d.tenant, d.child_id
        limit $1
    ) d
    cross join lateral (
        select
        from public.jobs j
        where j.tenant = d.tenant and j.job_id = d.child_id and j.status = 'pending'
        for no key update skip locked
    ) l;
    if abandoned is not null then
        perform jobcore.job_settle(abandoned);
    end if;

    with freed as (
        update jobcore.dependencies d
        set settled = true
        where (d.tenant, d.parent_id, d.child_id) in (
            select e.tenant, e.parent_id, e.child_id
            from jobcore.dependencies e
            cross join lateral (
                select
                from jobcore.admissions a
                where a.tenant = e.tenant and a.job_id = e.child_id
                for no key update skip locked
            ) l
            where e.ended is not null and not e.settled and (e.ended = 'completed' or e.on_failure = 'run')
            limit $1
            for update of e skip locked)
        returning d.tenant, d.child_id
    )
    select array_agg(f.tenant), array_agg(f.child_id)
    into freed_tenants, freed_ids
    from (select distinct f.tenant, f.child_id from freed f) f;

    update jobcore.admissions a
    set state = case when a.ready_at > statement_timestamp() then 'later' else 'due' end::jobcore.admission_state
    from unnest(freed_tenants, freed_ids) as f (tenant, job_id)
    where a.tenant = f.tenant
        and a.job_id = f.job_id
        and a.state = 'blocked'
        and not exists (
            select
            from jobcore.dependencies d
            where d.tenant = a.tenant and d.child_id = a.job_id and not d.settled);

    update jobcore.admissions a
    set state = 'due'
    where (a.tenant, a.job_id) in (
        select l.tenant, l.job_id
        from jobcore.admissions l
        where l.state = 'later' and l.ready_at <= statement_timestamp()
        order by l.ready_at
        limit $1
        for no key update skip locked);
end
$$;
