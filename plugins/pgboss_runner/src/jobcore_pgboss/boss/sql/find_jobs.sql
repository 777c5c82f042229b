select cast(coalesce(jsonb_agg(to_jsonb(found)), '[]') as text)
from (select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as wanted) a
cross join lateral (
    select j.*
    from pgboss.job j
    where j.name = a.name
        and (a.wanted -> 'id' is null or j.id = cast(a.wanted ->> 'id' as uuid))
        and (a.wanted -> 'key' is null or j.singleton_key = a.wanted ->> 'key')
        and (a.wanted -> 'data' is null or j.data @> (a.wanted -> 'data'))
        and (a.wanted -> 'queued' is null or j.state < 'active')
        and (a.wanted -> 'after' is null or j.id > cast(a.wanted ->> 'after' as uuid))
    order by j.id
    limit cast(a.wanted ->> 'limit' as integer)
) found
