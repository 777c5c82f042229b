-- The job that holds the key of a waiting one by its queue's policy: the first that has to end before it may run.
-- singleton and stately run one job a key; key_strict_fifo runs a key's jobs in order, also over failed ones.
select
    q.policy,
    coalesce(m.singleton_key, '') as key,
    h.id as job_id,
    jobcore.pgboss_tenant(h.group_id, h.data) as tenant,
    h.state::text as state,
    h.start_after as due_at
from pgboss.job m
join pgboss.queue q on q.name = m.name
join pgboss.job h on h.name = m.name and h.id <> m.id and coalesce(h.singleton_key, '') = coalesce(m.singleton_key, '')
where m.name = %(queue)s
    and m.id = %(job_id)s
    and m.state < 'active'
    and not m.blocked
    and (
        (q.policy in ('singleton', 'stately') and h.state = 'active')
        or (q.policy = 'key_strict_fifo' and h.state in ('active', 'retry', 'failed'))
        or (
            q.policy = 'key_strict_fifo'
            and m.state = 'created'
            and h.state = 'created'
            and not h.blocked
            and h.start_after <= pgboss.job_now()
            and (h.created_on, h.id) < (m.created_on, m.id)))
order by h.state = 'failed' desc, h.state desc, h.created_on, h.id
limit 1
