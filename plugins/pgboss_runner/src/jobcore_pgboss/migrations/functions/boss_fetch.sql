-- Claim jobs of a queue as Node's `fetch` does, without a lease of ours: {"batch_size", "group_limit", "filters"}. Where
-- nothing is filtered, by the way of the workers.
create or replace function jobcore.boss_fetch(queue text, asked jsonb) returns setof pgboss.job
language plpgsql
as $$
declare
    lim constant integer := ($2 ->> 'batch_size')::integer;
begin
    if $2 -> 'filters' = '{}' then
        return query
            select * from jobcore.pgboss_claim(
                array[$1], lim, null, case when $2 ? 'group_limit' then jsonb_build_object($1, $2 -> 'group_limit') end);
    else
        return query select * from jobcore.pgboss_claim_bound($1, lim, null, $2 -> 'group_limit', $2 -> 'filters');
    end if;
end
$$;
