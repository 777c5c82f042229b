-- Claim up to `lim` due rows of these queues, in the last `seconds` created ones if that is given, with limits for groups if
-- those are. While something is paused, what it holds up leaves the queue here, some fifty claims at most.
create or replace function jobcore.pgboss_take(
    queues text[], lim integer, lease_seconds integer, seconds double precision, group_limits jsonb
) returns pgboss.job[]
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
    claimed pgboss.job[];
begin
    for round in 1..50 loop
        if $5 is not null or jobcore.pgboss_is_bound($1) then
            select array_agg(c) into claimed from jobcore.pgboss_claim($1, $2, $3, $5) c;
        else
            select array_agg(c) into claimed
            from jobcore.pgboss_claim_rows(
                $1, $2, $3, coalesce(pgboss.job_now() - $4 * interval '1 second', '-infinity')) c;
        end if;
        exit when claimed is null or not exists (select from jobcore.pauses);
        claimed := jobcore.pgboss_hold(claimed);
        exit when claimed is not null;
    end loop;
    return claimed;
end
$$;
