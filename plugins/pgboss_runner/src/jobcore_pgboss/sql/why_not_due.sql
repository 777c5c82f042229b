-- When a waiting job falls due, if that is still to come; state 'retry' is the pause before its next attempt.
select
    j.start_after as due_at,
    extract(epoch from j.start_after - pgboss.job_now())::float8 as seconds,
    j.state::text as state
from pgboss.job j
where j.name = %(queue)s
    and j.id = %(job_id)s
    and j.state < 'active'
    and not j.blocked
    and j.start_after > pgboss.job_now()
