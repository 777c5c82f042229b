-- What the owner of our objects needs in this database.
do $$
begin
    if not has_database_privilege('jobcore_owner', current_database(), 'create') then
        execute format('grant create on database %I to jobcore_owner', current_database());
    end if;
    if not (has_schema_privilege('jobcore_owner', 'public', 'create')
        and has_schema_privilege('jobcore_owner', 'public', 'usage'))
    then
        grant usage, create on schema public to jobcore_owner;
    end if;
end
$$;
