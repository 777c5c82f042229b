-- Answer how many queues of this name there are: none, or the one that is subscribed now.
with wanted as (
    select cast($1 as text) as name, cast(cast($2 as text) as jsonb) #>> '{}' as event
),
made as (
    insert into pgboss.subscription (event, name)
    select w.event, q.name
    from wanted w
    join pgboss.queue q on q.name = w.name
    on conflict (event, name) do update set updated_on = pgboss.job_now()
    returning 1
)
select cast(count(*) as text) from made
