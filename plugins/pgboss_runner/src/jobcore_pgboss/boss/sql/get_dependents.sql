select cast(
    coalesce(
        jsonb_agg(jsonb_build_object('name', c.child_name, 'id', c.child_id) order by c.child_name, c.child_id),
        '[]') as text)
from (select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as wanted) a
cross join lateral (
    select d.child_name, d.child_id
    from pgboss.job_dependency d
    where d.parent_name = a.name
        and d.parent_id = cast(a.wanted ->> 'id' as uuid)
        and (a.wanted -> 'after' is null
            or (d.child_name, d.child_id)
                > (a.wanted -> 'after' ->> 'name', cast(a.wanted -> 'after' ->> 'id' as uuid)))
    order by d.child_name, d.child_id
    limit cast(a.wanted ->> 'limit' as integer)
) c
