-- What Node recorded of a queue, the newest first. Null, if there is no such queue.
with asked as materialized (
    select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as wanted
)
select cast(
    case when exists (select from pgboss.queue q where q.name = a.name) then (
        select coalesce(jsonb_agg(to_jsonb(recorded) order by recorded.captured_on desc), cast('[]' as jsonb))
        from (
            select s.*
            from pgboss.queue_stats s
            where s.name = a.name
                and (a.wanted ->> 'from' is null or s.captured_on >= cast(a.wanted ->> 'from' as timestamptz))
                and (a.wanted ->> 'to' is null or s.captured_on <= cast(a.wanted ->> 'to' as timestamptz))
            order by s.captured_on desc
            limit cast(a.wanted ->> 'limit' as integer)
        ) recorded)
    else 'null' end as text)
from asked a
