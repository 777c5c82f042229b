-- Take up to `lim` jobs of an engine that are to be handed over now, the most important ones first, for so many seconds: if
-- nobody says by then what became of them, others take them.
create or replace function jobcore.outbox_take(runner text, lim integer, seconds double precision)
returns table (
    tenant uuid, job_id uuid, epoch integer, tries integer, options jsonb, type text, queue text, priority integer,
    payload text
)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
        with taken as (
            update jobcore.outbox o
            set try_at = statement_timestamp() + $3 * interval '1 second',
                tries = o.tries + 1
            from (
                select l.tenant, l.job_id, l.epoch, l.rank, l.try_at
                from generate_series(1, 5) as r (rank)
                cross join lateral (
                    select w.tenant, w.job_id, w.epoch, w.rank, w.try_at
                    from jobcore.outbox w
                    where w.runner_type = $1
                        and w.state = 'due'
                        and w.rank = r.rank
                        and w.try_at <= statement_timestamp()
                    order by w.try_at
                    limit $2
                    for update skip locked
                ) l
                order by l.rank, l.try_at
                limit $2
            ) d
            where o.tenant = d.tenant and o.job_id = d.job_id and o.epoch = d.epoch
            returning o.tenant, o.job_id, o.epoch, o.tries, o.options, d.rank, d.try_at as due_at
        )
        select t.tenant, t.job_id, t.epoch, t.tries, t.options, b.type::text, b.queue, b.priority, b.payload::text
        from taken t
        join public.jobs b on b.tenant = t.tenant and b.job_id = t.job_id
        order by b.priority desc, t.rank, t.due_at;
end
$$;
