-- `outbox_enqueue` for a caller who sees one tenant.
create or replace function jobcore.outbox_tenant_enqueue(jobs jsonb)
returns table (ord integer, job_id uuid, inserted boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform jobcore.tenant_guard($1);
    return query select * from jobcore.outbox_enqueue($1);
end
$$;
