select to_regclass('pgboss.version') is not null
