-- A claim's instant in microseconds since 1970: one third of the fence (id, retry_count, started_on), exact as a bigint.
create or replace function jobcore.pgboss_started_us(started_on timestamptz) returns bigint
language sql stable parallel safe
as $$ select (extract(epoch from $1) * 1000000)::bigint $$;
