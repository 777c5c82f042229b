-- Send one job as Node's `send` does, with options in Node's words: for a schedule, and for the verb in Python. Null if the throttle or
-- the queue's policy lets it not in.
create or replace function jobcore.pgboss_send(queue text, data jsonb, options jsonb) returns uuid
language plpgsql
as $$
#variable_conflict use_column
declare
    its pgboss.queue;
    o constant jsonb := coalesce($3, '{}');
    width constant integer := ($3 ->> 'singletonSeconds')::integer;
    start_after constant timestamptz := jobcore.pgboss_start_after($3 -> 'startAfter');
    ahead integer := 0;
    made uuid;
    starts timestamptz := start_after;
begin
    select q.* into its from pgboss.queue q where q.name = $1;
    if its.name is null then
        raise exception using
            errcode = 'undefined_object',
            message = format('queue %L does not exist', $1),
            hint = 'Create it, or remove its schedule.';
    end if;
    if its.policy = 'key_strict_fifo' and nullif(o ->> 'singletonKey', '') is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('queue %L keeps the order of its keys (key_strict_fifo): a job needs a singletonKey', $1);
    end if;
    if not exists (select from pgboss.queue q where q.name = coalesce(o ->> 'deadLetter', $1)) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('the dead letter queue %L does not exist', o ->> 'deadLetter');
    end if;
    loop
        insert into pgboss.job (
            id, name, data, priority, start_after, created_on, singleton_key, singleton_on, group_id, group_tier,
            expire_seconds, deletion_seconds, keep_until, retry_limit, retry_delay, retry_backoff, retry_delay_max,
            policy, dead_letter, heartbeat_seconds)
        values (
            coalesce((o ->> 'id')::uuid, gen_random_uuid()), $1, nullif($2, 'null'),
            coalesce((o ->> 'priority')::integer, 0), starts, pgboss.job_now(), o ->> 'singletonKey',
            'epoch'::timestamp + width * floor((extract(epoch from pgboss.job_now()) + ahead) / width) * interval '1 second',
            o -> 'group' ->> 'id', o -> 'group' ->> 'tier',
            coalesce((o ->> 'expireInSeconds')::integer, its.expire_seconds),
            coalesce((o ->> 'deleteAfterSeconds')::integer, its.deletion_seconds),
            starts + coalesce((o ->> 'retentionSeconds')::integer, its.retention_seconds) * interval '1 second',
            coalesce((o ->> 'retryLimit')::integer, its.retry_limit),
            coalesce((o ->> 'retryDelay')::integer, its.retry_delay),
            coalesce((o ->> 'retryBackoff')::boolean, its.retry_backoff),
            coalesce((o ->> 'retryDelayMax')::integer, its.retry_delay_max),
            its.policy, coalesce(o ->> 'deadLetter', its.dead_letter),
            coalesce((o ->> 'heartbeatSeconds')::integer, its.heartbeat_seconds))
        on conflict do nothing
        returning id into made;
        exit when made is not null or ahead > 0 or width is null
            or not coalesce((o ->> 'singletonNextSlot')::boolean, false);
        -- Debounced: once more, in the slot that comes next.
        ahead := width;
        starts := to_timestamp(width * (floor(extract(epoch from pgboss.job_now()) / width) + 1));
    end loop;

    if made is not null and its.notify and starts <= pgboss.job_now() then
        perform pg_notify(jobcore.pgboss_channel(), $1);
    end if;
    return made;
end
$$;
