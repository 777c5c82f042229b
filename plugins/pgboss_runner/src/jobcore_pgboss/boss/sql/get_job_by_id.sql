select cast(coalesce((
    select to_jsonb(j)
    from (select cast($1 as text) as name, cast(cast($2 as text) as jsonb) #>> '{}' as id) a
    join pgboss.job j on j.name = a.name and j.id = cast(a.id as uuid)
), 'null') as text)
