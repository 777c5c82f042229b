-- Take up to `lim` due rows of one queue that does not give out just any: its policy holds one running job a key, or the
-- jobs of a key in strict order, or its caller wants so many of a group running at once: {default, tiers: {tier: n}}.
-- pg-boss's rules; beyond it, workers of ours count a group one after the other, so that its limit holds among them.
-- Of all jobs those only that fit `filters`: {min_priority, max_priority, ignore_groups: [group], ignore_start_after}.
create or replace function jobcore.pgboss_claim_bound(
    queue text, lim integer, lease_seconds integer, group_limit jsonb, filters jsonb
) returns setof pgboss.job
language plpgsql
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    policy constant text := (select q.policy from pgboss.queue q where q.name = $1);
    one_a_key constant boolean := policy in ('singleton', 'stately');
    in_order constant boolean := policy = 'key_strict_fifo';
    due_at constant timestamptz := case
        when ($5 ->> 'ignore_start_after')::boolean then 'infinity' else pgboss.job_now() end;
    least_priority constant integer := coalesce(($5 ->> 'min_priority')::integer, -2147483648);
    most_priority constant integer := coalesce(($5 ->> 'max_priority')::integer, 2147483647);
begin
    if $4 is not null then
        perform pg_advisory_xact_lock(hashtext('jobcore group limit'), hashtext($1));
    end if;

    return query
        with heads as materialized (
            -- A job to be tried again stands before all others of its key: nothing else of the key may run.
            select distinct on (h.singleton_key) h.id
            from pgboss.job h
            where in_order and h.name = $1 and h.state < 'active' and not h.blocked and h.start_after <= due_at
            order by h.singleton_key, h.state desc, h.created_on, h.id
        ),
        busy as materialized (
            select a.group_id, count(*) as running
            from pgboss.job a
            where $4 is not null and a.name = $1 and a.state = 'active' and a.group_id is not null
            group by a.group_id
        ),
        due as materialized (
            select j.id, j.priority, j.created_on, j.singleton_key, j.group_id,
                coalesce(($4 -> 'tiers' ->> j.group_tier)::integer, ($4 ->> 'default')::integer) as most,
                coalesce((select b.running from busy b where b.group_id = j.group_id), 0) as running
            from pgboss.job j
            where j.name = $1
                and j.state < 'active'
                and not j.blocked
                and j.start_after <= due_at
                and j.priority between least_priority and most_priority
                and (j.group_id is null or not coalesce($5 -> 'ignore_groups' ? j.group_id, false))
                and (not in_order or j.id in (select h.id from heads h))
                and (not in_order or not exists (
                    select
                    from pgboss.job b
                    where b.name = $1
                        and b.singleton_key = j.singleton_key
                        and b.state in ('active', 'retry', 'failed')
                        and b.id <> j.id))
                and (not one_a_key or not exists (
                    select
                    from pgboss.job b
                    where b.name = $1
                        and b.state = 'active'
                        and coalesce(b.singleton_key, '') = coalesce(j.singleton_key, '')))
                and ($4 is null or j.group_id is null
                    or coalesce((select b.running from busy b where b.group_id = j.group_id), 0)
                        < coalesce(($4 -> 'tiers' ->> j.group_tier)::integer, ($4 ->> 'default')::integer))
            order by j.priority desc, j.created_on
            limit $2
            for update of j skip locked
        ),
        placed as (
            select d.id, d.group_id, d.most, d.running,
                row_number() over (
                    partition by coalesce(d.singleton_key, '') order by d.priority desc, d.created_on, d.id) as key_place,
                row_number() over (
                    partition by d.group_id order by d.priority desc, d.created_on, d.id) as group_place
            from due d
        )
        update pgboss.job j
        set state = 'active',
            started_on = pgboss.job_now(),
            heartbeat_on = pgboss.job_now(),
            heartbeat_seconds = coalesce($3, j.heartbeat_seconds),
            retry_count = j.retry_count + (j.started_on is not null)::integer
        where j.name = $1
            and j.id = any (array(
                select p.id
                from placed p
                where (not one_a_key or p.key_place = 1)
                    and ($4 is null or p.group_id is null or p.running + p.group_place <= p.most)))
        returning j.*;
end
$$;
