-- A gate's name that an index holds: a long one ends with its digest, as `jobcore.policies.limits.bounded_name` has it.
create or replace function jobcore.flow_bounded(name text) returns text
language sql immutable
as $$
    select case
        when length($1) <= 300 then $1
        else left($1, 200) || '/' || encode(sha256(convert_to($1, 'UTF8')), 'hex')
    end
$$;
