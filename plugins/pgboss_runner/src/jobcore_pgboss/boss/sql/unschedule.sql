with given as (
    select cast($1 as text) as name, cast(cast($2 as text) as jsonb) #>> '{}' as key
),
gone as (
    delete from pgboss.schedule s using given g where s.name = g.name and coalesce(s.key, '') = g.key returning 1
)
select cast(count(*) as text) from gone
