-- A result as pg-boss stores it: an object as it is, anything else under the key `value`.
create or replace function jobcore.pgboss_output(result jsonb) returns jsonb
language sql stable parallel safe
as $$
    select case when jsonb_typeof($1) = 'object' then $1 when $1 is not null then jsonb_build_object('value', $1) end
$$;
