with given as (
    select cast($1 as text) as name, cast(cast($2 as text) as jsonb) #>> '{}' as event
),
gone as (
    delete from pgboss.subscription s using given g where s.name = g.name and s.event = g.event returning 1
)
select cast(count(*) as text) from gone
