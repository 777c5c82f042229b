do $$
declare
    name regclass;
begin
    for name in select oid::regclass from pg_class where relnamespace = 'billing'::regnamespace and relkind = 'r' loop
        execute format('revoke all on %s from jobcore_worker, jobcore_tenant', name);
        execute format('drop policy all_rows on %s', name);
        execute format('drop policy own_rows on %s', name);
        execute format('alter table %s no force row level security, disable row level security', name);
    end loop;
    revoke usage on schema billing from jobcore_worker, jobcore_tenant;
end
$$;
drop function billing.keep_tenants_apart(regclass[]);
