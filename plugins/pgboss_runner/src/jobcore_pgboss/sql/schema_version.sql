select max(version) from pgboss.version
