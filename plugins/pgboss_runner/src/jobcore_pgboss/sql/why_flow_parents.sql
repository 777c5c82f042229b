-- The parents of a job that waits for them, in which state they are; one that was deleted has none.
select
    d.parent_name as queue,
    d.parent_id as job_id,
    p.state::text as state,
    jobcore.pgboss_tenant(p.group_id, p.data) as tenant
from pgboss.job m
left join pgboss.job_dependency d on d.child_name = m.name and d.child_id = m.id
left join pgboss.job p on p.name = d.parent_name and p.id = d.parent_id
where m.name = %(queue)s and m.id = %(job_id)s and m.state < 'active' and m.blocked
order by d.parent_name, d.parent_id
