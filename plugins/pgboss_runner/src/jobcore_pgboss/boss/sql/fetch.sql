-- Claim jobs; null, if there is no such queue.
select cast(
    case when exists (select from pgboss.queue q where q.name = a.name) then (
        select coalesce(jsonb_agg(to_jsonb(c) order by c.priority desc, c.created_on, c.id), cast('[]' as jsonb))
        from jobcore.boss_fetch(a.name, a.asked) c)
    else 'null' end as text)
from (select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as asked) a
