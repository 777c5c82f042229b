-- Take up to `lim` due rows of these queues that were created since an instant, in the order of the queues, and within one
-- by priority and age. Nothing is sorted: only the index of this order is left to the planner, which else takes another one
-- from time to time and walks all that has ever been in it. The rows are found again by their places: while there are no
-- statistics, the planner takes whatever index has the name.
-- A claim counts as another attempt only if the row was begun before; the lease runs in pg-boss's heartbeat columns,
-- and without one they stay as the sender wanted them.
create or replace function jobcore.pgboss_claim_rows(
    queues text[], lim integer, lease_seconds integer, since timestamptz
)
returns setof pgboss.job
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set random_page_cost = 0
set enable_sort = off
as $$
#variable_conflict use_column
begin
    return query
        with due as materialized (
            select d.name, d.ctid as place
            from unnest($1) with ordinality q (name, ord)
            cross join lateral (
                select j.name, j.ctid
                from pgboss.job j
                where j.name = q.name
                    and j.state < 'active'
                    and not j.blocked
                    and j.created_on >= $4
                    and j.start_after <= pgboss.job_now()
                order by j.priority desc, j.created_on
                limit $2
                for update skip locked
            ) d
            limit $2
        )
        update pgboss.job j
        set state = 'active',
            started_on = pgboss.job_now(),
            heartbeat_on = pgboss.job_now(),
            heartbeat_seconds = coalesce($3, j.heartbeat_seconds),
            retry_count = j.retry_count + (j.started_on is not null)::integer
        from due d
        where j.name = d.name and j.ctid = d.place
        returning j.*;
end
$$;
