-- Of these queues: the seconds until the next delayed or retrying job, null if there is none; and whether a job is due
-- for a while already. Such a one was told to nobody, or is another's, or its queue's policy holds it.
select
    extract(epoch from min(next.start_after) - clock_timestamp())::float8,
    coalesce(bool_or(late.is_due), false)
from unnest(%b::text[]) q (name)
cross join unnest('{created,retry}'::pgboss.job_state[]) s (state)
left join lateral (
    select j.start_after
    from pgboss.job j
    where j.name = q.name
        and j.state = s.state
        and not j.blocked
        and j.start_after > statement_timestamp() - interval '50 milliseconds'
    order by j.start_after
    limit 1
) next on true
left join lateral (
    select true as is_due
    from pgboss.job j
    where j.name = q.name
        and j.state = s.state
        and not j.blocked
        and j.start_after <= statement_timestamp() - interval '50 milliseconds'
    limit 1
) late on true
