-- The running jobs of a waiting job's group; one row without a job if none runs.
select
    m.group_id,
    m.group_tier,
    h.id as job_id,
    jobcore.pgboss_tenant(h.group_id, h.data) as tenant
from pgboss.job m
left join pgboss.job h on h.name = m.name and h.group_id = m.group_id and h.state = 'active'
where m.name = %(queue)s and m.id = %(job_id)s and m.state < 'active' and not m.blocked and m.group_id is not null
order by h.started_on
