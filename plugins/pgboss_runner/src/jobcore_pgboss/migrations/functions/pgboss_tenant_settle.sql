-- `pgboss_settle` for a caller who sees one tenant: its handler completes its own claim, which the queue row fences.
create or replace function jobcore.pgboss_tenant_settle(settlements jsonb)
returns table (ord integer, applied boolean, follow text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform jobcore.tenant_guard($1);
    return query select * from jobcore.pgboss_settle($1);
end
$$;
