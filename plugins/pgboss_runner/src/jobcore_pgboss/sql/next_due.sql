-- Seconds until the next delayed or retrying job of these queues; null if there is none.
select extract(epoch from min(next.start_after) - clock_timestamp())::float8
from unnest(%b::text[]) q (name)
cross join unnest('{created,retry}'::pgboss.job_state[]) s (state)
cross join lateral (
    select j.start_after
    from pgboss.job j
    where j.name = q.name and j.state = s.state and not j.blocked
    order by j.start_after
    limit 1
) next
