-- The quota that holds for a tenant: its own, or the default; no row if it has none. The default is not the system tenant's.
create or replace function jobcore.quota_of(tenant uuid) returns setof jobcore.quotas
language sql stable
as $$
    select q.*
    from jobcore.quotas q
    where q.tenant = $1 or (q.tenant is null and $1 <> '00000000-0000-0000-0000-000000000000')
    order by q.tenant nulls last
    limit 1
$$;
