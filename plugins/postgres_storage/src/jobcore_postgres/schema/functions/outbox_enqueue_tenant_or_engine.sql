-- Enqueue on a connection of the application's: as the engine if its role may, else as the one tenant that it is set to.
create or replace function jobcore.outbox_enqueue_tenant_or_engine(jobs jsonb)
returns table (ord integer, job_id uuid, inserted boolean)
language plpgsql
as $$
begin
    if pg_has_role(current_user, 'jobcore_worker', 'usage') then
        return query select * from jobcore.outbox_enqueue($1);
    else
        return query select * from jobcore.outbox_tenant_enqueue($1);
    end if;
end
$$;
