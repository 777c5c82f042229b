-- Which of these columns the queue lacks, as table.column.
select array_agg(w.relation || '.' || w.name order by w.relation, w.name)
from unnest(%(relations)s::text[], %(columns)s::text[]) as w (relation, name)
where not exists (
    select
    from pg_attribute a
    where a.attrelid = to_regclass('pgboss.' || w.relation)
        and a.attname = w.name
        and a.attnum > 0
        and not a.attisdropped
)
