-- The key of an advisory lock by which pg-boss's instances keep out of each other's way, derived as Node derives it.
create or replace function jobcore.pgboss_lock_key(what text) returns bigint
language sql stable parallel safe
as $$
    select ('x' || encode(sha224(convert_to(current_database() || '.pgboss.pgboss' || $1, 'UTF8')), 'hex'))
        ::bit(64)::bigint
$$;
