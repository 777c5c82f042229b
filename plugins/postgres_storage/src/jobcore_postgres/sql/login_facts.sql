select current_setting('server_version'),
    (select rolsuper from pg_roles where rolname = current_user),
    pg_has_role(current_user, 'jobcore_worker', 'usage'),
    pg_has_role(current_user, 'jobcore_tenant', 'member')
