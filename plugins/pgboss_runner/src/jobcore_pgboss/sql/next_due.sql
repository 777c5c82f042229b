-- Of these queues: the seconds until the next delayed or retrying job, null if there is none; whether a job has been due for
-- a while, but no longer than so many seconds: such a one was told to nobody, or is another's, or its queue's policy holds
-- it; and whether one of these was created longer ago than that. The states are written out, and an order is asked for, so
-- that the planner takes the index that fits.
select
    extract(epoch from min(next.start_after) - clock_timestamp())::float8,
    coalesce(bool_or(late.created_on is not null), false),
    coalesce(bool_or(next.created_on < t.long_ago or late.created_on < t.long_ago), false)
from unnest(%b::text[]) q (name)
cross join (
    select statement_timestamp() - interval '50 milliseconds' as just_now,
        statement_timestamp() - %b::float8 * interval '1 second' as long_ago
) t
left join lateral (
    (
        select j.start_after, j.created_on
        from pgboss.job j
        where j.name = q.name and j.state = 'created' and not j.blocked and j.start_after > t.just_now
        order by j.start_after
        limit 1
    )
    union all
    (
        select j.start_after, j.created_on
        from pgboss.job j
        where j.name = q.name and j.state = 'retry' and not j.blocked and j.start_after > t.just_now
        order by j.start_after
        limit 1
    )
) next on true
left join lateral (
    (
        select j.created_on
        from pgboss.job j
        where j.name = q.name and j.state = 'created' and not j.blocked
            and j.start_after between t.long_ago and t.just_now
        order by j.start_after
        limit 1
    )
    union all
    (
        select j.created_on
        from pgboss.job j
        where j.name = q.name and j.state = 'retry' and not j.blocked
            and j.start_after between t.long_ago and t.just_now
        order by j.start_after
        limit 1
    )
) late on true
