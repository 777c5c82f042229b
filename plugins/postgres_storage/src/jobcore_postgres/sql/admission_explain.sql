-- What stands between a job and its engine; no row for one that was only recorded. `parents`, `held`, `holders`, `buckets` and
-- `ahead` are of a job that waits for its admission. Where many jobs wait before it, 10,001 of them are counted at most twice.
with m as materialized (
    select
        b.tenant,
        a.job_id is not null as is_held,
        b.held_key is not null as holds_key,
        extract(epoch from coalesce(a.ready_at, b.run_at, b.created_at) - statement_timestamp())::float8 as due_in,
        a.job_id,
        a.lane,
        a.priority,
        a.number,
        coalesce(a.gates, '[]') as gates
    from public.jobs b
    left join jobcore.admissions a on a.tenant = b.tenant and a.job_id = b.job_id
    where b.tenant = %(tenant)s and b.job_id = %(job_id)s and (b.status <> 'pending' or b.admission is not null)
),
parents as materialized (
    select
        d.parent_id,
        d.on_failure,
        p.type,
        p.status,
        d.on_failure = 'wait' and p.status is not null and p.status in ('failed', 'cancelled') as is_dead_end
    from m
    join jobcore.dependencies d on d.tenant = m.tenant and d.child_id = m.job_id and not d.settled
    left join public.jobs p on p.tenant = d.tenant and p.job_id = d.parent_id
),
gates as materialized (
    select distinct g ->> 'name' as gate, g ? 'limit' as names_holders
    from m
    cross join lateral jsonb_array_elements(m.gates) g
),
ahead as materialized (
    select a.tenant
    from m
    cross join lateral (
        (select a.tenant
        from jobcore.admissions a
        where a.state = 'due' and a.lane = m.lane and a.priority > m.priority
        limit 10001)
        union all
        (select a.tenant
        from jobcore.admissions a
        where a.state = 'due' and a.lane = m.lane and a.priority = m.priority and a.number < m.number
        limit 10001)
    ) a
)
select
    m.is_held,
    m.holds_key,
    m.due_in,
    m.gates,
    (select count(*) from parents) as awaited,
    (
        select coalesce(jsonb_agg(jsonb_build_object(
            'job_id', p.parent_id, 'name', p.type, 'status', p.status, 'on_failure', p.on_failure)), '[]')
        from (select p.* from parents p order by p.is_dead_end desc, p.parent_id limit %(most)s) p
    ) as parents,
    (
        select coalesce(jsonb_agg(h), '[]')
        from (
            select s.gate, s.tenant, count(*) as taken
            from gates g
            join jobcore.slots s on s.gate = g.gate
            group by s.gate, s.tenant
        ) h
    ) as held,
    (
        select coalesce(jsonb_agg(h), '[]')
        from gates g
        cross join lateral (
            select s.gate, s.tenant, s.job_id
            from jobcore.slots s
            where s.gate = g.gate
            order by s.tenant <> m.tenant, s.taken_at, s.job_id
            limit %(most)s
        ) h
        where g.names_holders
    ) as holders,
    (
        select coalesce(jsonb_agg(jsonb_build_object(
            'gate', b.gate,
            'tokens', b.tokens,
            'age', extract(epoch from statement_timestamp() - b.filled_at))), '[]')
        from gates g
        join jobcore.buckets b on b.gate = g.gate
    ) as buckets,
    (
        select coalesce(sum(w.concurrency), 0)::integer
        from jobcore.workers w
        where w.seen_at > statement_timestamp() - interval '1 minute' and not w.stopping
    ) as hands,
    (select count(*) from ahead) as ahead,
    (select count(*) from ahead a where a.tenant = m.tenant) as ahead_of_tenant
from m
