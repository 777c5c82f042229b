-- Copy a job that failed for good into its dead letter queue: with where it came from, and with what it failed. Columns that
-- are younger than version 42 are written where the schema has them.
create or replace function jobcore.pgboss_bury(failed pgboss.job, output jsonb) returns uuid
language plpgsql
as $$
declare
    its constant jsonb := to_jsonb($1);
    younger constant jsonb := jsonb_build_object(
        'source_output', $2,
        'source_root_id', coalesce(its ->> 'source_root_id', its ->> 'id'),
        'trace_context', its -> 'trace_context');
    assignments text;
    copy uuid;
begin
    insert into pgboss.job (
        name, priority, data, retry_limit, retry_backoff, retry_delay, start_after, created_on, keep_until,
        deletion_seconds, expire_seconds, singleton_key, group_id, group_tier, heartbeat_seconds, source_name, source_id,
        source_created_on, source_retry_count)
    select
        q.name, $1.priority, $1.data, q.retry_limit, q.retry_backoff, q.retry_delay, pgboss.job_now(), pgboss.job_now(),
        pgboss.job_now() + q.retention_seconds * interval '1 second', q.deletion_seconds, q.expire_seconds,
        $1.singleton_key, $1.group_id, $1.group_tier, q.heartbeat_seconds, $1.name, $1.id, $1.created_on, $1.retry_count
    from pgboss.queue q
    where q.name = $1.dead_letter
    returning id into copy;

    select string_agg(format('%1$I = (jsonb_populate_record(null::pgboss.job, $3)).%1$I', y.key), ', ')
    into assignments
    from jsonb_object_keys(younger) as y (key)
    where its ? y.key;
    if copy is not null and assignments is not null then
        execute format('update pgboss.job set %s where name = $1 and id = $2', assignments)
        using $1.dead_letter, copy, younger;
    end if;
    return copy;
end
$$;
