-- Make or replace the schedule of a queue under a key; answer how many queues of this name there are.
with given as (
    select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as o
),
put as (
    insert into pgboss.schedule (name, key, cron, timezone, data, options)
    select q.name, g.o ->> 'key', g.o ->> 'cron', g.o ->> 'tz', g.o -> 'data', g.o -> 'options'
    from given g
    join pgboss.queue q on q.name = g.name
    on conflict (name, key) do update
    set cron = excluded.cron,
        timezone = excluded.timezone,
        data = excluded.data,
        options = excluded.options,
        updated_on = pgboss.job_now()
    returning 1
)
select cast(count(*) as text) from put
