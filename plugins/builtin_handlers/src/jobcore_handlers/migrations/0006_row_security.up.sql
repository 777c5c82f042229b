-- Every table of the schema: a tenant sees and writes its own rows only, a worker those of all tenants.
-- Migrations that add a table call the function for it.
create function billing.keep_tenants_apart(variadic tables regclass[]) returns void language plpgsql as $$
declare
    name regclass;
    own constant text := 'tenant = nullif(current_setting(''jobcore.tenant'', true), '''')::uuid';
begin
    foreach name in array tables loop
        execute format('alter table %s enable row level security, force row level security', name);
        execute format('create policy own_rows on %s to jobcore_tenant using (%s) with check (%s)', name, own, own);
        execute format('create policy all_rows on %s to jobcore_worker using (true) with check (true)', name);
        execute format('grant select, insert, update, delete on %s to jobcore_worker, jobcore_tenant', name);
    end loop;
end
$$;
revoke execute on function billing.keep_tenants_apart(regclass[]) from public;

grant usage on schema billing to jobcore_worker, jobcore_tenant;

select billing.keep_tenants_apart(variadic array_agg(c.oid::regclass order by c.relname))
from pg_class as c
where c.relnamespace = 'billing'::regnamespace and c.relkind = 'r';
