-- How many jobs of tenants wait in the queues, also for a retry; those of Node too, where their group says whose they are.
create or replace function jobcore.pgboss_waiting(tenants uuid[]) returns table (tenant uuid, waiting bigint)
language sql stable
as $$
    select t.tenant, w.waiting
    from (
        select j.group_id, count(*) as waiting
        from pgboss.queue q
        join pgboss.job j on j.name = q.name and j.state < 'active'
        where j.group_id = any ($1::text[])
        group by j.group_id
    ) w
    join unnest($1) as t (tenant) on t.tenant::text = w.group_id
$$;
