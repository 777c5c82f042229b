-- Tell of each claim whether it still stands, and whether its cancellation was asked for; extend the leases if told to.
-- A JSON array of {tenant, queue, job_id, retry_count, started_us}. A row that a settlement holds needs no heartbeat.
create or replace function jobcore.pgboss_heartbeat(claims jsonb, extend boolean)
returns table (ord integer, held boolean, cancel_requested jsonb)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
    if extend then
        update pgboss.job j
        set heartbeat_on = pgboss.job_now()
        from (
            select l.name, l.id
            from (
                select i.*
                from jsonb_to_recordset($1) as i (queue text, job_id uuid, retry_count integer, started_us bigint)
                order by i.job_id
            ) g
            -- By key, as in `pgboss_settle`.
            cross join lateral (
                select j.name, j.id
                from pgboss.job j
                where j.name = g.queue
                    and j.id = g.job_id
                    and j.state::text = 'active'
                    and j.retry_count = g.retry_count
                    and jobcore.pgboss_started_us(j.started_on) = g.started_us
                limit 1
                for update skip locked
            ) l
        ) l
        where j.name = l.name and j.id = l.id;
    end if;

    return query
        select g.ord::integer,
            coalesce(
                j.state = 'active'
                and j.retry_count = g.retry_count
                and jobcore.pgboss_started_us(j.started_on) = g.started_us,
                false),
            b.cancel_requested
        from rows from (
            jsonb_to_recordset($1) as (tenant uuid, queue text, job_id uuid, retry_count integer, started_us bigint)
        ) with ordinality as g (tenant, queue, job_id, retry_count, started_us, ord)
        left join pgboss.job j on j.name = g.queue and j.id = g.job_id
        left join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
        order by g.ord;
end
$$;
