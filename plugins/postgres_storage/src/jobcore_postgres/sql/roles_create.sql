-- The three group roles, cluster-wide, and this login's membership: creating a role does not by itself let a login that is
-- no superuser act as it (since PostgreSQL 16 it only may grant it, to itself as well).
do $$
declare
    wanted name;
begin
    foreach wanted in array '{jobcore_owner,jobcore_worker,jobcore_tenant}'::name[] loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I nologin', wanted);
        end if;
        if not pg_has_role(session_user, wanted, 'usage') then
            execute format('grant %I to %I', wanted, session_user);
        end if;
    end loop;
end
$$;
