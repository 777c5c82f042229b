-- Make the queues that do not exist yet: a JSON array of {name, expire_seconds, heartbeat_seconds,
-- deletion_seconds, delete_ended}.
-- A queue that Node made stays as it is. A name that pg-boss refuses is refused.
create or replace function jobcore.pgboss_ensure_queues(queues jsonb) returns void
language plpgsql
as $$
declare
    wrong text;
begin
    select w.name into wrong
    from jsonb_to_recordset($1) as w (name text)
    where w.name is null or w.name !~ '^[A-Za-z0-9_./-]+$'
    limit 1;
    if found then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%s cannot be the name of a queue', coalesce(quote_literal(wrong), 'null')),
            hint = 'pg-boss takes letters A-Z and a-z, digits, ''_'', ''-'', ''.'' and ''/''.';
    end if;

    with wanted as (
        select distinct on (w.name) w.*
        from jsonb_to_recordset($1) as w (
            name text, expire_seconds integer, heartbeat_seconds integer, deletion_seconds integer,
            delete_ended boolean)
        where not exists (select from pgboss.queue q where q.name = w.name)
        order by w.name, w.expire_seconds desc
    ),
    made as (
        insert into pgboss.queue (
            name, policy, retry_limit, retry_delay, retry_backoff, expire_seconds, retention_seconds, deletion_seconds,
            partition, table_name, heartbeat_seconds, notify)
        select w.name, 'standard', 2, 1, true, coalesce(w.expire_seconds, 900), 1209600,
            coalesce(w.deletion_seconds, 604800),
            false, 'job_common', w.heartbeat_seconds, true
        from wanted w
        order by w.name
        on conflict do nothing
        returning name
    )
    insert into jobcore.pgboss_queues (name, delete_ended)
    select m.name, coalesce(w.delete_ended, true)
    from made m
    join wanted w on w.name = m.name
    on conflict do nothing;
end
$$;
