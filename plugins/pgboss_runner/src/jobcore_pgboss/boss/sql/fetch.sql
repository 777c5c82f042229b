-- Claim jobs as Node does: without a lease of ours. Null, if there is no such queue.
select cast(
    case when exists (select from pgboss.queue q where q.name = a.name) then (
        select coalesce(jsonb_agg(to_jsonb(c) order by c.priority desc, c.created_on, c.id), cast('[]' as jsonb))
        from jobcore.pgboss_claim(
            array[a.name], cast(a.o ->> 'batch_size' as integer), cast(null as integer), a.o -> 'group_limits') c)
    else 'null' end as text)
from (select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as o) a
