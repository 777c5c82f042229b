-- The job, under "job"; null, if there is no such queue.
select cast(
    case when exists (select from pgboss.queue q where q.name = a.name) then jsonb_build_object('job', (
        select to_jsonb(j) from pgboss.job j where j.name = a.name and j.id = cast(a.id as uuid)))
    else 'null' end as text)
from (select cast($1 as text) as name, cast(cast($2 as text) as jsonb) #>> '{}' as id) a
