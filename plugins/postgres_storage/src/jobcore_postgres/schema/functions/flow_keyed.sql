-- A new job with the rule for equal jobs that its handler announced, unless the caller named a key and a rule. Of the rule is
-- left what a store understands: a debounce is a delay, `skip` says nothing, and a `queue` becomes a gate in `flow_plan`.
create or replace function jobcore.flow_keyed(job jsonb, announced jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    its_name constant text := $1 ->> 'type';
    key text := $1 ->> 'dedupe_key';
    rule text := $1 ->> 'on_conflict';
    window_ms jsonb := $1 -> 'window_ms';
    keyed constant jsonb := $1 - '{dedupe_key,on_conflict,window_ms}'::text[];
begin
    if key is null and $2 is not null then
        if $2 ->> 'key' is null then
            perform jobcore.flow_untold(its_name);
        end if;
        key := jobcore.flow_key(its_name, $2 ->> 'key', $1 -> 'payload');
        if length(key) not between 1 and 512 then
            raise exception using
                errcode = 'invalid_parameter_value',
                message = format('job %L: its dedupe key has %s characters, and 1 to 512 are accepted', its_name, length(key));
        end if;
    end if;
    if rule is null and $2 is not null then
        rule := $2 ->> 'on_conflict';
        window_ms := to_jsonb(($2 ->> 'window')::float8 * 1000);
    end if;

    if rule = 'debounce' and ($1 ->> 'delay_ms' is not null or $1 ->> 'run_at' is not null) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: a debounced job waits for its window, and takes neither delay nor run_at', its_name);
    end if;
    return keyed || jsonb_strip_nulls(jsonb_build_object('dedupe_key', key) || case rule
        when 'debounce' then jsonb_build_object('on_conflict', 'replace', 'delay_ms', window_ms)
        when 'throttle' then jsonb_build_object('on_conflict', rule, 'window_ms', window_ms)
        when 'skip' then '{}'
        else jsonb_build_object('on_conflict', rule)
    end);
end
$$;
