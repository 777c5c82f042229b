-- How many due jobs stand before a due one, up to ten thousand and one; the first of them; and when a
-- job of the queue last began or ended, as far as its rows still tell.
select
    count(*) as ahead,
    count(*) filter (where a.priority > m.priority) as more_important,
    count(*) filter (where jobcore.pgboss_tenant(a.group_id, a.data) = %(tenant)s) as of_this_tenant,
    (array_agg(a.id order by a.priority desc, a.created_on))[1] as job_id,
    (array_agg(jobcore.pgboss_tenant(a.group_id, a.data) order by a.priority desc, a.created_on))[1] as tenant,
    (array_agg(greatest(a.start_after, a.created_on) order by a.priority desc, a.created_on))[1] as first_due_at,
    greatest(
        (select max(r.started_on) from pgboss.job r where r.name = m.name and r.state = 'active'),
        (select max(e.completed_on) from pgboss.job e where e.name = m.name and e.completed_on is not null)
    ) as last_moved_at,
    pgboss.job_now() as now
from pgboss.job m
cross join lateral (
    select j.id, j.priority, j.group_id, j.data, j.start_after, j.created_on
    from pgboss.job j
    where j.name = m.name
        and j.state < 'active'
        and not j.blocked
        and j.start_after <= pgboss.job_now()
        and (j.priority > m.priority or (j.priority = m.priority and j.created_on < m.created_on))
    order by j.priority desc, j.created_on
    limit 10001
) a
where m.name = %(queue)s
    and m.id = %(job_id)s
    and m.state < 'active'
    and not m.blocked
    and m.start_after <= pgboss.job_now()
group by m.name
