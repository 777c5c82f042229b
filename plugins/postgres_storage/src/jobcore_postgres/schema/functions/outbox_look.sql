-- Up to `lim` jobs of an engine in one state, `handed` or `ending`, that are to be looked at now; others leave them alone for
-- so many seconds.
create or replace function jobcore.outbox_look(
    runner text, its_state jobcore.outbox_state, lim integer, seconds double precision
) returns table (tenant uuid, job_id uuid, epoch integer, tries integer, options jsonb, cancel_requested jsonb)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
        with looked as (
            update jobcore.outbox o
            set try_at = statement_timestamp() + $4 * interval '1 second',
                tries = o.tries + 1
            from (
                select w.tenant, w.job_id, w.epoch
                from jobcore.outbox w
                where w.runner_type = $1 and w.state = $2 and w.try_at <= statement_timestamp()
                order by w.try_at
                limit $3
                for update skip locked
            ) d
            where o.tenant = d.tenant and o.job_id = d.job_id and o.epoch = d.epoch
            returning o.tenant, o.job_id, o.epoch, o.tries, o.options
        )
        select l.*, b.cancel_requested
        from looked l
        left join public.jobs b on b.tenant = l.tenant and b.job_id = l.job_id;
end
$$;
