-- Take pg-boss's next cron pass, if nobody has within the interval (seconds), here or in Node: `claimed`. Either way, when
-- the last one was (null: never), how long ago (seconds), and the time now.
create or replace function jobcore.pgboss_cron_claim(interval_seconds double precision)
returns table (claimed boolean, last_on timestamptz, age double precision, now_on timestamptz)
language sql
as $$
    with prior as (
        select v.cron_on, extract(epoch from pgboss.job_now() - v.cron_on)::double precision as age
        from pgboss.version v
    ),
    claim as (
        update pgboss.version v
        set cron_on = pgboss.job_now()
        where coalesce(v.cron_on <= pgboss.job_now() - $1 * interval '1 second', true)
        returning 1
    )
    select exists (select from claim), p.cron_on, p.age, pgboss.job_now() from prior p
$$;
