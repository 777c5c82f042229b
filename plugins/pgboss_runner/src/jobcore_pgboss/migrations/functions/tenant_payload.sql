-- Return a payload with the tenant in it that the payload or the caller names.
create or replace function jobcore.tenant_payload(name text, data jsonb, tenant text) returns jsonb
language plpgsql immutable
as $$
declare
    named constant text := nullif($2 ->> 'tenantId', '');
    chosen constant text := lower(coalesce($3, named));
begin
    if jsonb_typeof($2) is distinct from 'object' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: data must be a JSON object, not %s', $1, coalesce(jsonb_typeof($2), 'null'));
    end if;
    if chosen is null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: nobody says whose job it is: data has no tenantId', $1),
            hint = 'Put tenantId into data, or tenant into options: a UUID, or ''system''.';
    end if;
    if chosen <> 'system' and chosen !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: a tenant id is a UUID or ''system'', not %L', $1, left(chosen, 60));
    end if;
    if lower(named) <> chosen then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: data has the tenantId %L, and options the tenant %L', $1, named, $3);
    end if;
    return $2 || jsonb_build_object('tenantId', chosen);
end
$$;
