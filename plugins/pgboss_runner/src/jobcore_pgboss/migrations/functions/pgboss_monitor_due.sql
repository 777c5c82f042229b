-- Take up to `lim` of these queues, or of all, that nobody has looked after for an interval (seconds); `refresh` is false
-- while pg-boss rests from counting, to give vacuum its turn.
create or replace function jobcore.pgboss_monitor_due(queues text[], interval_seconds double precision, lim integer)
returns table (queue text, table_name text, refresh boolean)
language sql
as $$
    update pgboss.queue q
    set monitor_claim_on = pgboss.job_now()
    from (
        select d.name
        from pgboss.queue d
        where ($1 is null or d.name = any ($1))
            and coalesce(
                coalesce(d.monitor_claim_on, d.monitor_on) <= pgboss.job_now() - $2 * interval '1 second', true)
        order by d.name
        limit $3
        for no key update skip locked
    ) due
    where q.name = due.name
    returning q.name, q.table_name,
        not exists (select from pgboss.version v where v.monitor_backoff_on > pgboss.job_now())
$$;
