-- What this schema has of what came with later versions, and what this login may write.
select
    to_regclass('pgboss.instance') is not null
        and has_table_privilege(to_regclass('pgboss.instance'), 'insert, update, delete'),
    exists (
        select from pg_attribute
        where attrelid = to_regclass('pgboss.queue') and attname = 'retained_count' and not attisdropped),
    extract(epoch from clock_timestamp())::float8
