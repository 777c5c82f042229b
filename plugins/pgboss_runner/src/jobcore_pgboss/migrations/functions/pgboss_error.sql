-- A failure as `jobs` tells it, from the output that pg-boss stored: its kind and its message, and no stack.
create or replace function jobcore.pgboss_error(output jsonb) returns jsonb
language sql immutable parallel safe
as $$
    select jsonb_build_object(
        'type', coalesce($1 ->> 'name', $1 ->> 'type', $1 -> 'value' ->> 'name', 'Error'),
        'message', left(
            coalesce(
                $1 ->> 'message',
                case when jsonb_typeof($1 -> 'value') = 'object' then $1 -> 'value' ->> 'message' end,
                $1 ->> 'value',
                'failed in pg-boss'),
            2000))
$$;
