-- What a key, the path of a field, says of a payload, as the text that `jobcore.policies.limits.key_of` makes of it.
create or replace function jobcore.flow_key(handler text, key text, document jsonb) returns text
language plpgsql immutable
as $$
declare
    value jsonb := $3;
    part text;
    said text;
begin
    foreach part in array string_to_array($2, '.') loop
        value := case when jsonb_typeof(value) = 'object' then value -> part end;
    end loop;
    said := value #>> '{}';

    case jsonb_typeof(value)
        when 'string' then
            return said;
        when 'boolean' then
            return initcap(said);
        when 'number' then
            if said ~ '^-?[0-9]{1,20}$' then
                return said;
            end if;
            -- Where Python and PostgreSQL write a number with a point alike.
            if position('.' in said) > 0 and (said::numeric = 0 or abs(said::numeric) between 1e-4 and 1e15 - 1) then
                said := said::float8;
                return said || case when position('.' in said) > 0 then '' else '.0' end;
            end if;
            raise exception using
                errcode = 'invalid_parameter_value',
                message = format('job %L: the number at %L, by which its jobs are told apart, is too large or too small', $1, $2),
                hint = 'Pass it as a string.';
        else
            raise exception using
                errcode = 'invalid_parameter_value',
                message = format('job %L: its payload says nothing at %L, by which its jobs are told apart', $1, $2),
                hint = 'Enqueued from SQL, a payload has no defaults: write the field.';
    end case;
end
$$;
