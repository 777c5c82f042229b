do $$
declare
    name text;
begin
    for name in select tablename from pg_tables where schemaname = 'billing' order by tablename loop
        execute format('revoke all on billing.%I from jobcore_worker, jobcore_tenant', name);
        execute format('drop policy all_rows on billing.%I', name);
        execute format('drop policy own_rows on billing.%I', name);
        execute format('alter table billing.%I no force row level security', name);
        execute format('alter table billing.%I disable row level security', name);
    end loop;
    revoke usage on schema billing from jobcore_worker, jobcore_tenant;
end
$$;
