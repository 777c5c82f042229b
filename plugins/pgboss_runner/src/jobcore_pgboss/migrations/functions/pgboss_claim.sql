-- Take up to `lim` due rows of these queues: of those that are bound by a policy or by a limit of `group_limits`
-- ({queue: {default, tiers}}) each by itself, of all others together. Those go first whose turn is first.
create or replace function jobcore.pgboss_claim(
    queues text[], lim integer, lease_seconds integer, group_limits jsonb
) returns setof pgboss.job
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
    bound constant text[] := array(
        select q.name
        from pgboss.queue q
        where q.name = any ($1) and (q.policy in ('singleton', 'stately', 'key_strict_fifo') or $4 ? q.name)
        order by array_position($1, q.name));
    free constant text[] := array(select n from unnest($1) n where n <> all (bound));
    claimed integer := 0;
    found_now integer;
    one text;
begin
    if bound = '{}' or $1[1] <> all (bound) then
        return query select * from jobcore.pgboss_claim_rows(free, $2, $3, '-infinity');
        get diagnostics claimed = row_count;
    end if;
    foreach one in array bound loop
        exit when claimed >= $2;
        return query select * from jobcore.pgboss_claim_bound(one, $2 - claimed, $3, $4 -> one, null);
        get diagnostics found_now = row_count;
        claimed := claimed + found_now;
    end loop;
    if bound <> '{}' and $1[1] = any (bound) and claimed < $2 then
        return query select * from jobcore.pgboss_claim_rows(free, $2 - claimed, $3, '-infinity');
    end if;
end
$$;
