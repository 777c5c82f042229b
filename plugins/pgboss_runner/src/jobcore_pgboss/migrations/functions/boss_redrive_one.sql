-- Send a dead letter once more, as its queue sends jobs now. False, if the queue's policy has no room for it. Columns that
-- are younger than version 42 are written where the schema has them.
create or replace function jobcore.boss_redrive_one(dead pgboss.job, destination text) returns boolean
language plpgsql
as $$
declare
    its constant jsonb := to_jsonb($1);
    younger constant jsonb := jsonb_build_object(
        'source_root_id', coalesce(its ->> 'source_root_id', its ->> 'source_id'),
        'trace_context', its -> 'trace_context');
    assignments text;
    copy uuid;
begin
    insert into pgboss.job (
        name, data, priority, retry_limit, retry_backoff, retry_delay, retry_delay_max, expire_seconds, start_after,
        created_on, keep_until, deletion_seconds, policy, singleton_key, group_id, group_tier, heartbeat_seconds,
        dead_letter)
    select
        q.name, $1.data, $1.priority, q.retry_limit, q.retry_backoff, q.retry_delay, q.retry_delay_max,
        q.expire_seconds, pgboss.job_now(), pgboss.job_now(),
        pgboss.job_now() + q.retention_seconds * interval '1 second', q.deletion_seconds, q.policy, $1.singleton_key,
        $1.group_id, $1.group_tier, q.heartbeat_seconds, q.dead_letter
    from pgboss.queue q
    where q.name = $2
    on conflict do nothing
    returning id into copy;

    select string_agg(format('%1$I = (jsonb_populate_record(null::pgboss.job, $3)).%1$I', y.key), ', ')
    into assignments
    from jsonb_object_keys(younger) as y (key)
    where its ? y.key;
    if copy is not null and assignments is not null then
        execute format('update pgboss.job set %s where name = $1 and id = $2', assignments) using $2, copy, younger;
    end if;
    return copy is not null;
end
$$;
