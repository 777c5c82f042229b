-- Jobs of a queue, oldest first. Null, if there is no such queue; false, if the job is gone behind which to go on.
with asked as materialized (
    select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as wanted
),
last as materialized (
    select j.created_on, j.id
    from asked a
    join pgboss.job j on j.name = a.name and j.id = cast(a.wanted ->> 'after' as uuid)
)
select cast(
    case
        when not exists (select from pgboss.queue q where q.name = a.name) then 'null'
        when a.wanted -> 'after' is not null and not exists (select from last) then 'false'
        else (
            select coalesce(jsonb_agg(to_jsonb(found) order by found.created_on, found.id), cast('[]' as jsonb))
            from (
                select j.*
                from pgboss.job j
                where j.name = a.name
                    and (a.wanted -> 'id' is null or j.id = cast(a.wanted ->> 'id' as uuid))
                    and (a.wanted -> 'key' is null or j.singleton_key = a.wanted ->> 'key')
                    and (a.wanted -> 'data' is null or j.data @> (a.wanted -> 'data'))
                    and (a.wanted -> 'queued' is null or j.state < 'active')
                    and (a.wanted -> 'after' is null
                        or (j.created_on, j.id) > (select l.created_on, l.id from last l))
                order by j.created_on, j.id
                limit cast(a.wanted ->> 'limit' as integer)
            ) found)
    end as text)
from asked a
