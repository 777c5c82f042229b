-- Enqueue one job, for triggers and scripts; return its id, or that of the job that stood for it already.
-- `data` is the payload and names the tenant as tenantId, unless options does as tenant. Further options: queue (for a
-- handler with a queue of its own), delay (seconds) or run_at, priority, max_attempts, dedupe_key, job_id, user_id,
-- metadata.
create or replace function jobcore.enqueue(name text, data jsonb, options jsonb default '{}') returns uuid
language plpgsql
as $$
#variable_conflict use_column
declare
    payload constant jsonb := jobcore.tenant_payload($1, $2, $3 ->> 'tenant');
    unknown text;
    accepted uuid;
begin
    if $1 is null or $1 !~ '^[A-Za-z0-9_./-]{1,200}$' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%s cannot be the name of a job', coalesce(quote_literal($1), 'null')),
            hint = 'A name has 1 to 200 characters: letters A-Z and a-z, digits, ''_'', ''-'', ''.'' and ''/''.';
    end if;

    select string_agg(quote_literal(o.key), ', ' order by o.key) into unknown
    from jsonb_object_keys($3) as o (key)
    where o.key not in (
        'tenant', 'queue', 'delay', 'run_at', 'priority', 'max_attempts', 'dedupe_key', 'job_id', 'user_id', 'metadata');
    if unknown is not null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: there is no option %s', $1, unknown),
            hint = 'There are tenant, queue, delay, run_at, priority, max_attempts, dedupe_key, job_id, user_id and '
                'metadata.';
    end if;

    if $3 ->> 'delay' is not null and ($3 ->> 'run_at' is not null or ($3 ->> 'delay')::float8 < 0) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: delay is a number of seconds from 0, and excludes run_at', $1);
    end if;

    if jsonb_typeof($3 -> 'metadata') not in ('object', 'null') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: metadata must be a JSON object, not %s', $1, jsonb_typeof($3 -> 'metadata'));
    end if;

    if ($3 ->> 'max_attempts')::integer < 1 then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: max_attempts must be at least 1, not %s', $1, $3 ->> 'max_attempts');
    end if;

    select e.job_id into accepted
    from jobcore.pgboss_enqueue_tenant_or_engine(jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'id', coalesce(($3 ->> 'job_id')::uuid, jobcore.tenant_uuid7()),
        'tenant', case when payload ->> 'tenantId' = 'system'
            then '00000000-0000-0000-0000-000000000000' else payload ->> 'tenantId' end,
        'type', $1,
        'queue', $3 -> 'queue',
        'delay_ms', ($3 ->> 'delay')::float8 * 1000,
        'run_at', $3 -> 'run_at',
        'priority', $3 -> 'priority',
        'max_attempts', $3 -> 'max_attempts',
        'dedupe_key', $3 -> 'dedupe_key',
        'user_id', $3 -> 'user_id',
        'runner_type', 'pgboss',
        'status', 'queued'))
        || jsonb_build_object('payload', payload, 'metadata', coalesce($3 -> 'metadata', '{}')))) e;
    return accepted;
end
$$;

grant execute on function jobcore.enqueue(text, jsonb, jsonb) to jobcore_tenant;
