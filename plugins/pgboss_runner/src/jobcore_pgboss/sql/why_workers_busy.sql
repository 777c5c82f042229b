-- The live workers of a due job's queue, how many jobs they run at a time, and how many their queues have running.
with serving as materialized (
    select w.concurrency, w.queues
    from jobcore.workers w
    where w.runner_type = 'pgboss'
        and w.seen_at >= statement_timestamp() - interval '1 minute'
        and not w.stopping
        and %(queue)s = any (w.queues)
)
select
    (select count(*) from serving) as workers,
    (select coalesce(sum(s.concurrency), 0) from serving s) as slots,
    (
        select count(*)
        from pgboss.job r
        where r.state = 'active' and r.name in (select unnest(s.queues) from serving s)
    ) as running
where exists (
    select
    from pgboss.job m
    where m.name = %(queue)s
        and m.id = %(job_id)s
        and m.state < 'active'
        and not m.blocked
        and m.start_after <= pgboss.job_now())
