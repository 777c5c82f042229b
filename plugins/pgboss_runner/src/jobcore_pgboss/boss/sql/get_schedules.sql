select cast(coalesce(jsonb_agg(to_jsonb(s) order by s.name, s.key), '[]') as text)
from (select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as wanted) a
cross join lateral (
    select schedule.*
    from pgboss.schedule schedule
    where (a.name = '' or schedule.name = a.name)
        and (a.wanted -> 'key' is null or schedule.key = a.wanted ->> 'key')
    order by schedule.name, schedule.key
    limit cast(a.wanted ->> 'limit' as integer)
) s
