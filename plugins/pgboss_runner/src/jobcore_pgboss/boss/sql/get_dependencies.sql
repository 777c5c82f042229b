select cast(
    coalesce(
        jsonb_agg(jsonb_build_object('name', p.parent_name, 'id', p.parent_id) order by p.parent_name, p.parent_id),
        '[]') as text)
from (select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as wanted) a
cross join lateral (
    select d.parent_name, d.parent_id
    from pgboss.job_dependency d
    where d.child_name = a.name
        and d.child_id = cast(a.wanted ->> 'id' as uuid)
        and (a.wanted -> 'after' is null
            or (d.parent_name, d.parent_id)
                > (a.wanted -> 'after' ->> 'name', cast(a.wanted -> 'after' ->> 'id' as uuid)))
    order by d.parent_name, d.parent_id
    limit cast(a.wanted ->> 'limit' as integer)
) p
