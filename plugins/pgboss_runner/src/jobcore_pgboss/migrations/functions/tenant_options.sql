-- The options of `jobcore.enqueue` as the keys of a job that `flow_plan` takes, once each can be meant. They have the names
-- and the bounds of those of `JobApp.enqueue`.
create or replace function jobcore.tenant_options(name text, options jsonb) returns jsonb
language plpgsql
as $$
declare
    known constant text[] := '{tenant,queue,runner,delay,run_at,priority,max_attempts,dedupe_key,on_conflict,window,after,'
        'on_parent_failure,tier,job_id,user_id,metadata}';
    rule constant text := coalesce($2 ->> 'on_conflict', case when $2 ->> 'window' is not null then 'skip' end);
    uuid_pattern constant text := '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';
    wrong text;
begin
    if $1 is null or $1 !~ '^[A-Za-z0-9_./-]{1,200}$' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('%s cannot be the name of a job', coalesce(quote_literal(left($1, 250)), 'null')),
            hint = 'A name has 1 to 200 characters: letters A-Z and a-z, digits, ''_'', ''-'', ''.'' and ''/''.';
    end if;

    select string_agg(quote_literal(o.key), ', ' order by o.key) into wrong
    from jsonb_object_keys($2) as o (key)
    where o.key <> all (known);
    if wrong is not null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: there is no option %s', $1, wrong),
            hint = format('There are %s.', array_to_string(known, ', '));
    end if;

    wrong := case
        when $2 ->> 'queue' !~ '^[A-Za-z0-9_./-]{1,200}$'
            then format('%L cannot be the name of a queue', left($2 ->> 'queue', 250))
        when $2 ->> 'runner' !~ '^[a-z][a-z0-9_-]{0,62}$'
            then format('%L cannot be the name of a runner', left($2 ->> 'runner', 250))
        when $2 ->> 'delay' is not null and ($2 ->> 'run_at' is not null or ($2 ->> 'delay')::float8 < 0)
            then 'delay is a number of seconds from 0, and excludes run_at'
        when jsonb_typeof($2 -> 'metadata') not in ('object', 'null')
            then format('metadata must be a JSON object, not %s', jsonb_typeof($2 -> 'metadata'))
        when ($2 ->> 'max_attempts')::integer < 1
            then format('max_attempts must be at least 1, not %s', $2 ->> 'max_attempts')
        when length($2 ->> 'dedupe_key') not between 1 and 512
            then format('dedupe_key has %s characters, and 1 to 512 are accepted', length($2 ->> 'dedupe_key'))
        when rule is not null and $2 ->> 'dedupe_key' is null
            then 'on_conflict and window are about jobs with the same dedupe_key, and there is none'
        when rule not in ('skip', 'replace', 'supersede', 'debounce', 'throttle', 'queue')
            then format('on_conflict is skip, replace, supersede, debounce, throttle or queue, not %L', left(rule, 60))
        when rule in ('debounce', 'throttle') and ($2 ->> 'window' is null
                or jsonb_typeof($2 -> 'window') <> 'number'
                or not (($2 ->> 'window')::float8 > 0 and ($2 ->> 'window')::float8 <= 31622400))
            then format('on_conflict %s needs a window, in seconds, up to a year, not %s', rule, coalesce($2 ->> 'window', 'null'))
        when rule not in ('debounce', 'throttle') and $2 ->> 'window' is not null
            then format('on_conflict %s has no window; debounce and throttle have', rule)
        when jsonb_typeof($2 -> 'after') not in ('array', 'null')
            then format('after must be a JSON array of job ids, not %s', jsonb_typeof($2 -> 'after'))
        when jsonb_array_length(nullif($2 -> 'after', 'null')) > 10000
            then format('after names %s jobs, and at most 10,000 are accepted', jsonb_array_length($2 -> 'after'))
        when $2 ->> 'on_parent_failure' not in ('cancel', 'run', 'wait')
            then format('on_parent_failure is cancel, run or wait, not %L', left($2 ->> 'on_parent_failure', 60))
        when $2 ->> 'on_parent_failure' is not null and coalesce($2 -> 'after', 'null') in ('null', '[]')
            then 'on_parent_failure says what happens if a job of after fails, and there is none'
        when jsonb_typeof($2 -> 'tier') not in ('string', 'null')
            then format('tier must be a string, not %s', jsonb_typeof($2 -> 'tier'))
    end;
    if wrong is null and jsonb_typeof($2 -> 'after') = 'array' then
        select format('after must be a JSON array of job ids, and %s is none', left(p.id::text, 60)) into wrong
        from jsonb_array_elements($2 -> 'after') as p (id)
        where p.id #>> '{}' is null or p.id #>> '{}' !~ uuid_pattern
        limit 1;
    end if;
    if wrong is not null then
        raise exception using errcode = 'invalid_parameter_value', message = format('job %L: %s', $1, wrong);
    end if;

    return jsonb_strip_nulls(jsonb_build_object(
        'id', coalesce(($2 ->> 'job_id')::uuid, jobcore.tenant_uuid7()),
        'type', $1,
        'queue', $2 -> 'queue',
        'runner_type', $2 -> 'runner',
        'delay_ms', ($2 ->> 'delay')::float8 * 1000,
        'run_at', $2 -> 'run_at',
        'priority', $2 -> 'priority',
        'max_attempts', $2 -> 'max_attempts',
        'dedupe_key', $2 -> 'dedupe_key',
        'on_conflict', rule,
        'window_ms', ($2 ->> 'window')::float8 * 1000,
        'after', $2 -> 'after',
        'on_parent_failure', $2 -> 'on_parent_failure',
        'tier', $2 -> 'tier',
        'user_id', $2 -> 'user_id'))
        || jsonb_build_object('metadata', coalesce($2 -> 'metadata', '{}'));
end
$$;
