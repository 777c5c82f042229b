-- Let jobs go on that were held up by a pause, and that no pause holds up any more. It waits for no lock: who holds one, as
-- a cancel does, may want another one that we hold. What is passed by is found by the next thorough look.
create or replace function jobcore.admission_unpause() returns void
language sql
as $$
    update jobcore.admissions a
    set state = case when a.ready_at > statement_timestamp() then 'later' else 'due' end::jobcore.admission_state
    where (a.tenant, a.job_id) in (
        select h.tenant, h.job_id
        from jobcore.admissions h
        where h.state = 'paused' and not jobcore.admission_is_paused(h.tenant, h.type, h.queue)
        for no key update skip locked)
$$;
