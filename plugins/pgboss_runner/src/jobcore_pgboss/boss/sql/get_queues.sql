select cast(coalesce(jsonb_agg(to_jsonb(q) order by q.name), '[]') as text)
from (select cast($1 as text) as after, cast(cast($2 as text) as jsonb) as wanted) a
cross join lateral (
    select queue.*
    from pgboss.queue queue
    where queue.name > a.after
        and (a.wanted -> 'names' is null or a.wanted -> 'names' @> to_jsonb(queue.name))
    order by queue.name
    limit cast(a.wanted ->> 'limit' as integer)
) q
