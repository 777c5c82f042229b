with asked as materialized (
    select cast($1 as text) as queue, cast(cast($2 as text) as jsonb) as filters
),
routed as materialized (
    select q.name as destination, row_number() over (partition by q.name is null) as place
    from asked a
    cross join lateral jobcore.boss_redrivable(a.queue, a.filters) j
    left join pgboss.queue q on q.name = coalesce(a.filters ->> 'destination', j.source_name)
),
counted as (
    select r.destination, count(*) as jobs
    from routed r, asked a
    where r.place <= cast(a.filters ->> 'limit' as integer)
    group by r.destination
)
select cast(
    case when exists (select from pgboss.queue q, asked a where q.name = a.queue) then (
        select coalesce(
            jsonb_agg(
                jsonb_build_object('name', c.destination, 'count', c.jobs)
                order by c.jobs desc, c.destination),
            cast('[]' as jsonb))
        from counted c)
    else 'null' end as text)
