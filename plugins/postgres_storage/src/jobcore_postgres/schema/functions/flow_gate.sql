-- What a new job has to pass, by one limit as workers announce it: the gate that the limit's own class makes in
-- `jobcore.policies.limits`. `job` has type, queue, tenant, payload and, if wanted, tier.
create or replace function jobcore.flow_gate(announced jsonb, job jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    kind constant text := $1 ->> 'kind';
    its_name constant text := $2 ->> 'type';
    tier constant text := $2 ->> 'tier';
    gate_name text := coalesce($1 ->> 'scope', its_name);
begin
    if kind = 'fair' then
        return jsonb_build_object(
            'name', 'fair/' || coalesce($1 ->> 'scope', $2 ->> 'queue'),
            'weight', coalesce($1 -> 'weights' -> ($2 ->> 'tenant'), $1 -> 'default'));
    end if;

    if not ($1 -> 'key_is_told')::boolean then
        perform jobcore.flow_untold(its_name);
    end if;
    if $1 ->> 'per' = 'tenant' or $1 ->> 'key' is not null then
        gate_name := concat_ws('/', gate_name, $2 ->> 'tenant');
    end if;
    if $1 ->> 'key' is not null then
        gate_name := concat_ws('/', gate_name, jobcore.flow_key(its_name, $1 ->> 'key', $2 -> 'payload'));
    end if;

    if kind = 'rate' then
        return jsonb_build_object(
            'name', jobcore.flow_bounded('rate/' || gate_name),
            'rate', ($1 ->> 'jobs')::float8 / ($1 ->> 'every')::float8,
            'burst', coalesce(($1 ->> 'burst')::float8, greatest(($1 ->> 'jobs')::float8, 1)));
    elsif kind = 'concurrency' then
        if tier is not null and $1 -> 'tiers' <> '{}' and not $1 -> 'tiers' ? tier then
            raise exception using
                errcode = 'invalid_parameter_value',
                message = format('job %L has no tier %L', its_name, tier),
                hint = format('It has %s.', (select string_agg(quote_literal(t), ', ') from jsonb_object_keys($1 -> 'tiers') t));
        end if;
        return jsonb_build_object(
            'name', jobcore.flow_bounded('at-once/' || gate_name),
            'limit', coalesce($1 -> 'tiers' -> tier, $1 -> 'limit'));
    end if;
    raise exception using
        errcode = 'feature_not_supported',
        message = format('job %L: a worker announced a limit of the kind %L, which this database does not know', its_name, kind),
        hint = 'Run jobcore migrate of the version that the workers have.';
end
$$;
