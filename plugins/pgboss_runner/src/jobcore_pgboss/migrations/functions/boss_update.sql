-- Change jobs that wait, in place: the one with `id`, or of those with `singletonKey` the newest, the oldest or all (`match`).
-- {"data", "options"} has Node's words; what does not stand there stays. With another start the retention moves along.
-- The answer: which were changed.
create or replace function jobcore.boss_update(queue text, asked jsonb) returns uuid[]
language plpgsql
as $$
#variable_conflict use_column
declare
    its pgboss.queue;
    o constant jsonb := $2 -> 'options';
    starts constant timestamptz := case when o ? 'startAfter' then jobcore.pgboss_start_after(o -> 'startAfter') end;
    changed uuid[];
    due boolean;
begin
    select q.* into its from pgboss.queue q where q.name = $1;
    if its.name is null then
        raise exception using errcode = 'undefined_object', message = format('queue %L does not exist', $1);
    end if;
    if not exists (select from pgboss.queue q where q.name = coalesce(o ->> 'deadLetter', $1)) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('the dead letter queue %L does not exist', o ->> 'deadLetter');
    end if;

    with meant as materialized (
        select j.id
        from pgboss.job j
        where j.name = $1 and j.state < 'active' and j.id = (o ->> 'id')::uuid
        union all
        (
            select j.id
            from pgboss.job j
            where j.name = $1 and j.state < 'active' and j.singleton_key = o ->> 'singletonKey'
            order by case when o ->> 'match' = 'oldest' then j.created_on end, j.created_on desc
            limit case when o ->> 'match' = 'all' then null else 1 end
        )
    ),
    moved as (
        update pgboss.job j
        set data = case when $2 ? 'data' then $2 -> 'data' else j.data end,
            priority = coalesce((o ->> 'priority')::integer, j.priority),
            start_after = coalesce(starts, j.start_after),
            keep_until = case
                when o ? 'retentionSeconds'
                    then coalesce(starts, j.start_after) + (o ->> 'retentionSeconds')::integer * interval '1 second'
                when starts is not null then starts + (j.keep_until - j.start_after)
                else j.keep_until end,
            expire_seconds = coalesce((o ->> 'expireInSeconds')::integer, j.expire_seconds),
            deletion_seconds = coalesce((o ->> 'deleteAfterSeconds')::integer, j.deletion_seconds),
            retry_limit = coalesce((o ->> 'retryLimit')::integer, j.retry_limit),
            retry_delay = coalesce((o ->> 'retryDelay')::integer, j.retry_delay),
            retry_backoff = coalesce((o ->> 'retryBackoff')::boolean, j.retry_backoff),
            retry_delay_max = case
                when o ? 'retryDelayMax' then (o ->> 'retryDelayMax')::integer else j.retry_delay_max end,
            dead_letter = case when o ? 'deadLetter' then o ->> 'deadLetter' else j.dead_letter end,
            heartbeat_seconds = case
                when o ? 'heartbeatSeconds' then (o ->> 'heartbeatSeconds')::integer else j.heartbeat_seconds end,
            group_id = coalesce(o -> 'group' ->> 'id', j.group_id),
            group_tier = coalesce(o -> 'group' ->> 'tier', j.group_tier)
        from meant m
        where j.name = $1
            and j.id = m.id
            and j.state < 'active'  -- somebody may just have fetched it
        returning j.id, j.start_after
    )
    select coalesce(array_agg(m.id), '{}'), bool_or(m.start_after <= pgboss.job_now()) into changed, due from moved m;

    if its.notify and due then
        perform pg_notify(jobcore.pgboss_channel(), $1);
    end if;
    return changed;
end
$$;
