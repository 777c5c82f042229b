-- How many jobs wait in each queue that Node sent, and that no worker of ours has seen.
select j.name, count(*)
from pgboss.job j
where j.state < 'active'
    and not starts_with(j.name, '__pgboss__')
    and not exists (
        select
        from public.jobs b
        where b.tenant = jobcore.pgboss_tenant(j.group_id, j.data) and b.job_id = j.id)
group by j.name
order by j.name
