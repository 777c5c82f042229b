-- Whether this schema has a registry of instances, since version 44, and this login may read it.
select coalesce(has_table_privilege(to_regclass('pgboss.instance'), 'select'), false) as has_registry
