-- Every table of the schema: a tenant sees and writes its own rows only, a worker those of all tenants.
do $$
declare
    name text;
begin
    grant usage on schema billing to jobcore_worker, jobcore_tenant;
    for name in select tablename from pg_tables where schemaname = 'billing' order by tablename loop
        execute format('alter table billing.%I enable row level security', name);
        execute format('alter table billing.%I force row level security', name);
        execute format(
            'create policy own_rows on billing.%I to jobcore_tenant '
            'using (tenant = nullif(current_setting(''jobcore.tenant'', true), '''')::uuid) '
            'with check (tenant = nullif(current_setting(''jobcore.tenant'', true), '''')::uuid)', name);
        execute format('create policy all_rows on billing.%I to jobcore_worker using (true) with check (true)', name);
        execute format('grant select, insert, update, delete on billing.%I to jobcore_worker, jobcore_tenant', name);
    end loop;
end
$$;
