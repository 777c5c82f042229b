-- What a handler returned, from the output that pg-boss stored: the inverse of `pgboss_output`.
create or replace function jobcore.pgboss_result(output jsonb) returns jsonb
language sql immutable parallel safe
as $$
    select case
        when jsonb_typeof($1) = 'object' and $1 ? 'value' and $1 - 'value' = '{}' then $1 -> 'value'
        else $1
    end
$$;
