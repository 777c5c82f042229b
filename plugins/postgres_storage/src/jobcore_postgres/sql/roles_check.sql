-- What this login still lacks to migrate; empty when nothing.
select array_remove(array[
    case when not pg_has_role(session_user, 'jobcore_owner', 'usage') then 'membership in jobcore_owner' end,
    case when not has_database_privilege('jobcore_owner', current_database(), 'create')
        then 'create on the database for jobcore_owner' end,
    case when not has_schema_privilege('jobcore_owner', 'public', 'create')
        then 'create on the schema public for jobcore_owner' end
], null) as lacking
