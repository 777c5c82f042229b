-- Forget what is kept for jobs that are no more, whose rows somebody has deleted: slots, what they were to wait for, and their
-- places at the heads of up to `lanes` lanes after `beyond`, where they would keep others from passing. Whoever waits for
-- such a job, and for an operator to let it complete, is cancelled: nobody can.
create or replace function jobcore.admission_sweep(beyond text, lanes integer) returns void
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
as $$
begin
    delete from jobcore.slots s
    where not exists (select from public.jobs j where j.tenant = s.tenant and j.job_id = s.job_id);

    delete from jobcore.dependencies d
    where not exists (select from public.jobs j where j.tenant = d.tenant and j.job_id = d.child_id);

    update jobcore.dependencies d
    set ended = coalesce(d.ended, 'cancelled'),
        on_failure = case d.on_failure when 'wait' then 'cancel' else d.on_failure end
    where (d.tenant, d.parent_id, d.child_id) in (
        select o.tenant, o.parent_id, o.child_id
        from jobcore.dependencies o
        where not o.settled
            and (o.ended is null or o.on_failure = 'wait')
            and not exists (select from public.jobs p where p.tenant = o.tenant and p.job_id = o.parent_id)
        for update skip locked);

    delete from jobcore.admissions a
    where (a.tenant, a.job_id) in (
        select h.tenant, h.job_id
        from jobcore.admission_lanes($1, $2) w
        cross join lateral (
            select a.tenant, a.job_id
            from jobcore.admissions a
            where a.state = 'due' and a.lane = w.lane
            order by a.priority desc, a.number
            limit case w.width when 0 then 100 else w.width end
        ) h
        where not exists (
            select from public.jobs j where j.tenant = h.tenant and j.job_id = h.job_id and j.status = 'pending'));
end
$$;
