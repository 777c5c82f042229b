-- Seconds until the next delayed or retrying job of these queues; null if there is none. A job that was due already and
-- was not claimed is another's, or its queue's policy holds it: it waits for the next poll.
select extract(epoch from min(next.start_after) - clock_timestamp())::float8
from unnest(%b::text[]) q (name)
cross join unnest('{created,retry}'::pgboss.job_state[]) s (state)
cross join lateral (
    select j.start_after
    from pgboss.job j
    where j.name = q.name
        and j.state = s.state
        and not j.blocked
        and j.start_after > statement_timestamp() - interval '50 milliseconds'
    order by j.start_after
    limit 1
) next
