-- Take one of these queues, or of all, whose retention has not been looked at for an interval (seconds); one taker an
-- interval, here or in Node.
create or replace function jobcore.pgboss_prune_due(queues text[], interval_seconds double precision)
returns table (queue text, claimed_on timestamptz)
language sql
as $$
    update pgboss.queue q
    set maintain_on = pgboss.job_now()
    from (
        select d.name
        from pgboss.queue d
        where ($1 is null or d.name = any ($1))
            and coalesce(d.maintain_on <= pgboss.job_now() - $2 * interval '1 second', true)
        order by d.maintain_on nulls first, d.name
        limit 1
        for no key update skip locked
    ) due
    where q.name = due.name
    returning q.name, q.maintain_on
$$;
