-- Settle on a connection of the application's: as the engine if its role may, else as the one tenant that it is set to.
create or replace function jobcore.outbox_settle_tenant_or_engine(settlements jsonb)
returns table (ord integer, applied boolean, follow text, run_at timestamptz)
language plpgsql
as $$
begin
    if pg_has_role(current_user, 'jobcore_worker', 'usage') then
        return query select * from jobcore.outbox_settle($1);
    else
        return query select * from jobcore.outbox_tenant_settle($1);
    end if;
end
$$;
