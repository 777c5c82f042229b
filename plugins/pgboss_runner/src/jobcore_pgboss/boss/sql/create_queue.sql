-- As Node: a queue that exists stays as it is. The lock is that of everybody who makes or deletes queues.
select cast(coalesce(to_jsonb(made.done), 'null') as text)
from (
    select cast(pgboss.create_queue(a.name, a.options) as text) as done
    from (select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as options) a
) made
