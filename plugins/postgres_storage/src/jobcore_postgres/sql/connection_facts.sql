-- Which server and database this is (a restart changes the first), whatever the session's time zone, and whether the role
-- in force sees every tenant.
select extract(epoch from pg_postmaster_start_time()) || '/' || current_database() as place,
    exists (
        select from pg_roles where rolname = 'jobcore_worker' and pg_has_role(current_user, oid, 'usage')
    ) as for_all_tenants
