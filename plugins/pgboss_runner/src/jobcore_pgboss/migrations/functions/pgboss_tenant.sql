-- Whose job a queue row is: its group's, else its payload's tenantId, else the system tenant's.
create or replace function jobcore.pgboss_tenant(group_id text, data jsonb) returns uuid
language sql immutable parallel safe
as $$
    select case
        when $1 ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then $1::uuid
        when $2 ->> 'tenantId' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then ($2 ->> 'tenantId')::uuid
        else '00000000-0000-0000-0000-000000000000'
    end
$$;
