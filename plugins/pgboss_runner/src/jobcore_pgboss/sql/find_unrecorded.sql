-- A job that Node sent and no worker of ours has seen: the queue has it, and `jobs` does not.
select
    j.id as job_id,
    j.name as queue,
    j.state::text as state,
    j.data as payload,
    j.priority,
    j.created_on,
    j.start_after,
    j.started_on,
    j.completed_on,
    j.retry_count,
    j.retry_limit
from pgboss.queue q
cross join lateral (select r.* from pgboss.job r where r.name = q.name and r.id = %(job_id)s limit 1) j
where jobcore.pgboss_tenant(j.group_id, j.data) = %(tenant)s
limit 1
