-- Accept jobs that differ in their ids, tenants and payloads only: the short way of `pgboss_enqueue`, with the arguments of
-- `job_add`; `common` holds retry_limit, retry_delay, retry_backoff, retry_delay_max, expire_seconds and
-- heartbeat_seconds beside. False, and nothing is written, if there is no such queue, or anything is paused; a job that is
-- here already, or that the queue's policy refuses, is a unique violation. The other way takes them all.
create or replace function jobcore.pgboss_add(common jsonb, ids uuid[], tenants uuid[], payloads jsonb) returns boolean
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
    q pgboss.queue;
begin
    select * into q from pgboss.queue where name = common ->> 'queue';
    if not found or exists (select from jobcore.pauses) then
        return false;
    end if;

    perform jobcore.job_add($1, $2, $3, $4);

    insert into pgboss.job (
        id, name, priority, data, retry_limit, retry_delay, retry_backoff, retry_delay_max, expire_seconds,
        deletion_seconds, group_id, start_after, created_on, keep_until, policy, dead_letter, heartbeat_seconds)
    select
        i.id, q.name, c.priority, i.payload, c.retry_limit, c.retry_delay, c.retry_backoff, c.retry_delay_max,
        c.expire_seconds, q.deletion_seconds, i.tenant::text, statement_timestamp(), pgboss.job_now(),
        statement_timestamp() + q.retention_seconds * interval '1 second', q.policy, q.dead_letter, c.heartbeat_seconds
    from rows from (unnest($2, $3), jsonb_array_elements($4)) as i (id, tenant, payload)
    cross join jsonb_to_record($1) as c (
        priority integer, retry_limit integer, retry_delay integer, retry_backoff boolean, retry_delay_max integer,
        expire_seconds integer, heartbeat_seconds integer);

    if q.notify then
        perform pg_notify(jobcore.pgboss_channel(), q.name);
    end if;
    return true;
end
$$;
