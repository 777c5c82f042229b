select cast(coalesce(to_jsonb(gone.done), 'null') as text)
from (
    select cast(pgboss.delete_queue(q.name) as text) as done
    from (select cast($1 as text) as name, cast($2 as text) as nothing) a
    join pgboss.queue q on q.name = a.name and a.nothing = 'null'
    union all
    select null
    limit 1
) gone
